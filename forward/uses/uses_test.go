package uses

import (
	"sync"
	"sync/atomic"
	"testing"
)

// However the uses of a thing that is replaced end, its end is told once, and not while
// somebody uses it.
func TestTheEndIsToldOnce(t *testing.T) {
	for range 200 {
		var c Count
		var current atomic.Bool
		current.Store(true)
		var ends, inUse atomic.Int64
		c.Begin()
		end := func(is bool) {
			if is {
				ends.Add(1)
				if n := inUse.Load(); n != 0 {
					t.Errorf("it ended with %d users", n)
				}
			}
		}
		var wait sync.WaitGroup
		for range 4 {
			part := NewPart()
			wait.Go(func() {
				for current.Load() {
					c.HoldPart(part)
					if current.Load() {
						inUse.Add(1)
						c.Hold() // goes on by itself
						end(c.ReleasePart(part))
						inUse.Add(-1)
						end(c.Release())
					} else {
						end(c.ReleasePart(part))
					}
				}
			})
		}
		current.Store(false)
		end(c.Replaced())
		wait.Wait()
		if ends.Load() != 1 || c.Users() != 0 {
			t.Fatalf("%d ends, %d users", ends.Load(), c.Users())
		}
	}
}

// While it is current nobody is told anything.
func TestCurrentDoesNotEnd(t *testing.T) {
	var c Count
	c.Begin()
	part := NewPart()
	c.HoldPart(part)
	if c.Users() != 2 || c.ReleasePart(part) {
		t.Error("it ended")
	}
	if !c.Replaced() {
		t.Error("it did not end")
	}
}
