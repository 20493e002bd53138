package store

import (
	"context"
	"sync"
	"testing"
	"time"
)

// Rule 2: who joins while the permit is up sets a flag and wakes the reader; putting it
// down starts the fetch's own goroutine, and the client is a reader as any other.
func TestJoiningWhileThePermitIsUp(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 10_000)
	started := make(chan struct{})
	f := &filler{fill: func() { close(started) }}
	var own, other Reader
	e := s.Begin(d.opening(), f, &own)
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:100])
	if found := s.find(d, &other); found != Joined {
		t.Fatalf("found %d", found)
	}
	if fills, wakes, _ := f.counts(); fills != 0 || wakes != 1 {
		t.Fatalf("%d goroutines, woken %d times while the permit is up", fills, wakes)
	}
	if e.Put() {
		t.Error("the permit is still the client's")
	}
	<-started
	if e.Take() {
		t.Error("the client took the permit from the fetch's own goroutine")
	}
	e.Append(d.body[100:])
	e.Complete()
	own.readAll(t, d)
	other.readAll(t, d)
	own.Close()
	other.Close()
	if fills, wakes, stops := f.counts(); fills != 1 || wakes != 1 || stops != 0 {
		t.Errorf("%d goroutines, %d wakes, %d stops", fills, wakes, stops)
	}
}

// Rule 2: who joins while the permit is down starts the fetch's goroutine at once.
func TestJoiningWhileThePermitIsDown(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 10_000)
	f := &filler{}
	var own, other Reader
	e := s.Begin(d.opening(), f, &own)
	f.fill = func() {
		e.Append(d.body[100:])
		e.Complete()
	}
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:100])
	if !e.Put() {
		t.Fatal("nobody wants the permit")
	}
	if !e.Take() || !e.Put() {
		t.Fatal("the client may take it again")
	}
	if found := s.find(d, &other); found != Joined {
		t.Fatalf("found %d", found)
	}
	own.readAll(t, d) // with the client writing, nobody but the goroutine fills
	other.readAll(t, d)
	own.Close()
	other.Close()
}

// Rule 2 and 5: the client leaves, the fetch is to go on, and does so by itself.
func TestLeavingStartsTheFetchsGoroutine(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 10_000)
	ended := make(chan struct{})
	f := &filler{}
	var own Reader
	e := s.Begin(d.opening(), f, &own)
	f.fill = func() {
		e.Append(d.body[9000:])
		e.Complete()
		close(ended)
	}
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:9000])
	e.Put()
	if !own.Close() {
		t.Fatal("a kilobyte is missing and the fetch was ended")
	}
	<-ended
	var r Reader
	if found := s.find(d, &r); found != Hit {
		t.Fatalf("found %d", found)
	}
	r.readAll(t, d)
	r.Close()
}

// Many join and leave while a client's goroutine takes and puts the permit: there
// is one writer at every moment, and the bytes are right.
func TestThereIsOneWriter(t *testing.T) {
	s := open(t, memoryOnly())
	for round := range 40 {
		d := docOf(round, 60_000)
		var own Reader
		var e *Entry
		var writing sync.Mutex // fails the test, not the race detector, when two write
		sent := 0
		piece := func() (done bool) {
			if !writing.TryLock() {
				t.Error("two write at once")
				return true
			}
			defer writing.Unlock()
			n := min(1000, len(d.body)-sent)
			e.Append(d.body[sent : sent+n])
			if sent += n; sent == len(d.body) {
				e.Complete()
				return true
			}
			return false
		}
		f := &filler{fill: func() {
			for !piece() {
			}
		}}
		e = s.Begin(d.opening(), f, &own)
		e.Publish(d.published(len(d.body)))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				time.Sleep(time.Duration(round) * time.Microsecond)
				var r Reader
				if found := s.find(d, &r); found == Miss {
					t.Errorf("round %d: nothing was found", round)
					return
				}
				r.readAll(t, d)
				r.Close()
			})
		}
		// The client's goroutine pumps as long as it may, and reads what it has.
		for pumping := true; pumping; {
			if e.Take() {
				done := piece()
				pumping = e.Put() && !done
			} else {
				pumping = false
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		got, err := own.read(ctx, len(d.body)+1)
		cancel()
		if err != nil || string(got) != string(d.body) {
			t.Fatalf("round %d: the client got %d bytes, %v", round, len(got), err)
		}
		all.Wait()
		own.Close()
		s.Purge(d.key)
	}
}
