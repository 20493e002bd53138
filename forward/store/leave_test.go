package store

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
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

// Clients join and leave at any moment, before the head, as it comes, during the
// body, while the writer writes or ends: nothing is left behind, and who stays gets
// all of it or an error.
func TestLeavingAtAnyMoment(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Memory = 64<<10, 1<<20
	s := rebuilt(t, open(t, c))
	for round := range 300 {
		d := docOf(round%7, 30_000*(round%4))
		opening := d.opening()
		opening.Collapsed = round%2 == 0
		f := &filler{}
		var own Reader
		e := s.Begin(opening, f, &own)
		h := d.published(len(d.body))
		if round%5 == 0 {
			parts := KeyParts{Method: opening.Method, URL: d.url, Vary: []byte("x")}
			h.Key, h.Vary = parts.Key(), parts.Vary
		}
		f.fill = func() {
			e.Publish(h)
			if round%11 == 0 {
				e.Abort(nil)
			}
			d.fetch(e, 10_000)
			e.Abort(nil) // nothing, unless Pace has ended it
		}
		var all sync.WaitGroup
		e.Own()
		all.Go(func() { e.Put() })
		for client := range 3 {
			all.Go(func() {
				time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
				var r Reader
				switch s.Lookup(time.Now(), h.Key, d.url, &r) {
				case Waiting:
					r.AwaitHead(t.Context())
				case Joined, Hit:
					if r.Load(t.Context(), d.url) == nil && client > 0 {
						got, err := r.read(t.Context(), len(d.body)+1)
						if err == nil && string(got) != string(d.body) {
							t.Errorf("round %d: %d bytes and a clean end", round, len(got))
						}
					}
				}
				r.Close()
			})
		}
		all.Go(func() {
			time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
			if round%3 == 0 {
				own.Close()
				return
			}
			got, err := own.read(t.Context(), len(d.body)+1)
			if err == nil && string(got) != string(d.body) {
				t.Errorf("round %d: the client got %d bytes and a clean end", round, len(got))
			}
			own.Close()
		})
		all.Wait()
		s.Purge(h.Key)
	}
	eventually(t, "nothing is left", func() bool {
		live := 0
		for i := range s.live {
			sh := s.ix.At(i)
			sh.Lock()
			live += len(s.live[i])
			sh.Unlock()
		}
		st := s.Stats()
		return live == 0 && st.MemoryPages == 0 && st.Objects == 0 && st.OpenFiles == 0 && filesIn(t, c.Dirs[0].Path) == 0
	})
}

// arrived is a filler with octets of the body that wait to be read.
type arrived struct {
	filler
	octets int64
}

func (a *arrived) Arrived() int64 { return a.octets }

// What has come from the origin and was not read yet is not missing.
func TestQuickAbortCountsWhatHasCome(t *testing.T) {
	for waiting, want := range map[int64]bool{0: false, 60_000: false, 90_000: true, 99_000: true} {
		s := open(t, memoryOnly())
		d := docOf(1, 100_000)
		f := &arrived{octets: waiting}
		var r Reader
		e := s.Begin(d.opening(), f, &r)
		e.Publish(d.published(100_000))
		e.Append(d.body[:1000])
		e.Put()
		if goesOn := r.Close(); goesOn != want {
			t.Errorf("%d octets wait: goes on %v", waiting, goesOn)
		}
		e.Append(d.body[1000:])
		e.Complete()
	}
}
