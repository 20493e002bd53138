package clients

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Every connection is served once, by goroutines that are used again and end with the
// crew.
func TestCrew(t *testing.T) {
	const all = 2000
	var served [all + 1]atomic.Int32
	var goroutines sync.WaitGroup
	var done sync.WaitGroup
	w := NewCrew(func(n int) {
		served[n].Add(1)
		done.Done()
	})
	done.Add(all)
	for from := range 4 {
		goroutines.Go(func() {
			for n := from + 1; n <= all; n += 4 {
				w.Take(n)
			}
		})
	}
	goroutines.Wait()
	done.Wait()
	for n := range all {
		if got := served[n+1].Load(); got != 1 {
			t.Fatalf("connection %d was served %d times", n+1, got)
		}
	}
	w.Close()
	if n := w.idle.Load(); n != 0 {
		t.Errorf("%d wait after the end", n)
	}
}

// One that waits takes the next connection, and no more than so many wait.
func TestCrewWaits(t *testing.T) {
	hold, served := make(chan struct{}), make(chan int, 3*mostIdle)
	w := NewCrew(func(n int) { <-hold; served <- n })
	for n := range 3 * mostIdle {
		w.Take(n + 1)
	}
	close(hold)
	for range 3 * mostIdle {
		<-served
	}
	eventually(t, func() bool { return w.idle.Load() == mostIdle })
	for n := range mostIdle / 2 {
		w.Take(n + 1)
		<-served
	}
	eventually(t, func() bool { return w.idle.Load() == mostIdle })
	w.Close()
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not so after 10 s")
		}
	}
}
