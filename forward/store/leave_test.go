package store

import (
	"errors"
	"testing"
)

// Rule 5: the last reader's leaving is the quick_abort decision, on lengths with
// the head, as 2.6 takes it.
func TestQuickAbort(t *testing.T) {
	const kb = 1 << 10
	for _, tc := range []struct {
		name            string
		min, max        int64
		pct             int
		announced, came int
		goesOn          bool
	}{
		{"little is left", 16 * kb, 16 * kb, 95, 100_000, 100_000 - 16*kb + 1, true},
		{"not so little", 16 * kb, 16 * kb, 95, 100_000, 100_000 - 16*kb - 1, false},
		{"min -1", -1, 16 * kb, 95, 200_000, 1, true},
		{"min 0, max 0", 0, 0, 95, 100_000, 99_999, false},
		{"within max, past pct", 0, 64 * kb, 50, 100_000, 60_000, true},
		{"within max, before pct", 0, 64 * kb, 50, 100_000, 40_000, false},
		{"beyond max, past pct", 0, 16 * kb, 50, 100_000, 60_000, false},
		{"length unknown", 16 * kb, 16 * kb, 95, -1, 1000, false},
		{"length unknown, min -1", -1, 16 * kb, 95, -1, 1000, true},
	} {
		c := memoryOnly()
		c.QuickAbortMin, c.QuickAbortMax, c.QuickAbortPct = tc.min, tc.max, tc.pct
		s := open(t, c)
		d := docOf(1, max(tc.announced, tc.came))
		f := &filler{}
		var r Reader
		e := s.Begin(d.opening(), f, &r)
		e.Publish(d.published(tc.announced))
		e.Append(d.body[:tc.came])
		e.Put()
		if goesOn := r.Close(); goesOn != tc.goesOn {
			t.Errorf("%s: goes on %v", tc.name, goesOn)
		}
		_, _, stops := f.counts()
		if stopped := stops == 1; stopped == tc.goesOn {
			t.Errorf("%s: stopped %v", tc.name, stopped)
		}
		e.Append(d.body[tc.came:])
		e.Complete()
		if found := s.find(d, &r); (found == Hit) != tc.goesOn {
			t.Errorf("%s: found %d afterwards", tc.name, found)
		}
		r.Close()
	}
}

// Rule 5: one reader's end is not the entry's, and nobody else hears of it.
func TestOneLeavesOthersStay(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 50_000)
	f := &filler{}
	var own, other Reader
	e := s.Begin(d.opening(), f, &own)
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:1000])
	e.Put()
	s.find(d, &other)
	if !own.Close() {
		t.Error("the fetch does not go on for the other")
	}
	e.Append(d.body[1000:])
	e.Complete()
	other.readAll(t, d)
	other.Close()
	if _, _, stops := f.counts(); stops != 0 {
		t.Error("the fetch was stopped")
	}
}

// Rule 5: a reader of an aborted entry gets what came, and never a clean end.
func TestAnAbortedEntryHasNoCleanEnd(t *testing.T) {
	reset := errors.New("the origin reset the connection")
	for _, announced := range []int{50_000, -1} {
		s := open(t, memoryOnly())
		d := docOf(1, 50_000)
		var own, other Reader
		e := s.Begin(d.opening(), &filler{}, &own)
		e.Publish(d.published(announced))
		e.Append(d.body[:20_000])
		s.find(d, &other)
		other.read(t.Context(), 5000)
		e.Abort(reset)
		e.Append(d.body[20_000:])
		e.Complete() // too late
		for r, want := range map[*Reader]int{&own: 20_000, &other: 15_000} {
			if got, err := r.read(t.Context(), 60_000); !errors.Is(err, reset) || len(got) != want {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			r.Close()
		}
		if found := s.find(d, &own); found != Miss || s.Stats().MemoryPages != 0 {
			t.Errorf("found %d, %+v", found, s.Stats())
		}
	}
}

// A body that is shorter than its head announced is not whole.
func TestAShortBodyIsNoObject(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 50_000)
	var own Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:49_999])
	e.Complete()
	if _, err := own.read(t.Context(), 60_000); !errors.Is(err, ErrAborted) {
		t.Error(err)
	}
	own.Close()
	if found := s.find(d, &own); found != Miss {
		t.Errorf("found %d", found)
	}
}
