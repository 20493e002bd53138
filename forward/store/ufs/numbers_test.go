package ufs

import (
	"testing"

	"pgregory.net/rapid"
)

// TestNumbers: the bitmap against a plain set.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s numbers
		model := map[Number]bool{}
		lowest := func() (n Number) {
			for model[n] {
				n++
			}
			return n
		}
		number := rapid.Custom(func(t *rapid.T) Number { return Number(rapid.IntRange(0, 300).Draw(t, "number")) })
		t.Repeat(map[string]func(*rapid.T){
			"allocate": func(t *rapid.T) {
				want := lowest()
				if n, ok := s.allocate(); !ok || n != want {
					t.Fatalf("allocated %d, want %d", n, want)
				}
				model[want] = true
			},
			"take": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if s.take(n) == model[n] {
					t.Fatalf("take %d: it was taken: %v", n, model[n])
				}
				model[n] = true
			},
			"free": func(t *rapid.T) {
				n := number.Draw(t, "n")
				s.free(n)
				delete(model, n)
			},
			"": func(t *rapid.T) {
				n := number.Draw(t, "n")
				if s.has(n) != model[n] || s.used() != len(model) {
					t.Fatalf("has %d: %v; %d in use of %d", n, s.has(n), s.used(), len(model))
				}
			},
		})
	})
}

// TestNumbersEnd: there are 2^24 numbers and no more.
func TestNumbersEnd(t *testing.T) {
	s := numbers{words: make([]uint64, maxNumbers/64)}
	for i := range s.words {
		s.words[i] = ^uint64(0)
	}
	if n, ok := s.allocate(); ok {
		t.Errorf("allocated %d of a full set", n)
	}
	s.free(maxNumbers - 1)
	if n, ok := s.allocate(); !ok || n != maxNumbers-1 {
		t.Errorf("allocated %d, %v; the last one was free", n, ok)
	}
}
