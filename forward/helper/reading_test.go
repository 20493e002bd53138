package helper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// heated is a pool of one process whose askers read its answers themselves.
func heated(t *testing.T) (*Pool, *child, func(text string) bool) {
	t.Helper()
	p, logs := newPool(t, Options{Program: program("echo")})
	said := func(text string) bool { return logged(logs, text) }
	heat(t, p)
	return p, p.children[0], said
}

func heat(t *testing.T, p *Pool) {
	t.Helper()
	eventually(t, "who asks reads", func() bool {
		if answer, err := p.Ask(t.Context(), []byte("warm")); err != nil || answer != "warm" {
			t.Fatal(answer, err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.children) == 1 && p.children[0].reads == byNobody
	})
}

// unswept leaves a child without a reader until its next question.
func unswept(p *Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeper.Stop()
	p.sweeping = true
}

// What a process says between two questions is never taken for the answer to the second,
// with nobody reading meanwhile either: another process is asked.
func TestUnaskedBetweenQuestions(t *testing.T) {
	p, c, said := heated(t)
	file := filepath.Join(t.TempDir(), "now")
	unswept(p)
	if answer, err := p.Ask(t.Context(), []byte("again "+file)); err != nil || answer != "again "+file {
		t.Fatal(answer, err)
	}
	os.WriteFile(file, nil, 0o600)
	eventually(t, "it speaks", func() (spoken bool) {
		c.raw.Control(func(fd uintptr) {
			unread, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
			spoken = err == nil && unread > 0
		})
		return spoken
	})
	if answer, err := p.Ask(t.Context(), []byte("hello")); err != nil || answer != "hello" {
		t.Errorf("%q, %v", answer, err)
	}
	if !said("says something unasked") {
		t.Error("it is not complained of")
	}
}

// A process that ends between two questions is missed at once, though nobody reads.
func TestEndsBetweenQuestions(t *testing.T) {
	p, c, _ := heated(t)
	unswept(p)
	c.proc.Kill()
	eventually(t, "another one runs", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.children) == 1 && p.children[0] != c
	})
	if answer, err := p.Ask(t.Context(), []byte("hello")); err != nil || answer != "hello" {
		t.Errorf("%q, %v", answer, err)
	}
}

// Who reads his answer himself still leaves when his client does, and the answer that
// comes later is nobody else's.
func TestReaderLeaves(t *testing.T) {
	p, _, _ := heated(t)
	file := filepath.Join(t.TempDir(), "now")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := p.Ask(ctx, []byte("wait "+file))
		ended <- err
	}()
	eventually(t, "it is asked", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.children[0].pending == 1
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	os.WriteFile(file, nil, 0o600)
	if answer, err := p.Ask(t.Context(), []byte("hello")); err != nil || answer != "hello" {
		t.Errorf("%q, %v", answer, err)
	}
}

// Answers find their questions while the part of the reader changes hands, questions
// share writes, children die, and clients leave.
func TestReadersChange(t *testing.T) {
	for name, o := range map[string]Options{
		"one at a time": {Program: program("echo"), Children: 3},
		"channels":      {Program: program("echo channels"), Children: 2, Concurrency: 5},
	} {
		t.Run(name, func(t *testing.T) { askWhileAllChanges(t, o) })
	}
}

func askWhileAllChanges(t *testing.T, o Options) {
	p, _ := newPool(t, o)
	var askers sync.WaitGroup
	for i := range 16 {
		askers.Go(func() {
			for n := range 200 {
				ctx, cancel := t.Context(), func() {}
				question := fmt.Sprintf("question %d of %d", n, i)
				switch {
				case i == 0 && n%20 == 19:
					question = "die"
				case i%4 == 1 && n%3 == 0:
					ctx, cancel = context.WithTimeout(ctx, time.Microsecond)
				case i%4 == 2 && n%10 == 0:
					time.Sleep(sweepAfter / 20)
				}
				answer, err := p.Ask(ctx, []byte(question))
				cancel()
				if err == nil && answer != question {
					t.Errorf("%q got %q", question, answer)
					return
				}
				if err != nil && !errors.Is(err, ErrDied) && !errors.Is(err, ErrDown) && ctx.Err() == nil {
					t.Errorf("%q: %v", question, err)
					return
				}
			}
		})
	}
	askers.Wait()
	eventually(t, "all are well again", func() bool {
		answer, err := p.Ask(t.Context(), []byte("well"))
		return err == nil && answer == "well"
	})
}

// With 64 who wait, every process has a question: none of them serves them all.
func TestWaitingIsSpread(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("echo"), Children: 4})
	file := filepath.Join(t.TempDir(), "now")
	var askers sync.WaitGroup
	for range 64 {
		askers.Go(func() {
			if answer, err := p.Ask(t.Context(), []byte("wait "+file)); err != nil || answer != "waited" {
				t.Error(answer, err)
			}
		})
	}
	eventually(t, "all four have one", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.children {
			if c.pending != 1 {
				return false
			}
		}
		return len(p.queue) == 60
	})
	os.WriteFile(file, nil, 0o600)
	askers.Wait()
	for _, c := range p.children {
		if c.answered == 0 {
			t.Errorf("process %d has answered nothing", c.number)
		}
	}
}
