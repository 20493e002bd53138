package overload

import (
	"os"
	"testing"
	"time"

	"go.uber.org/zap"
)

// Accepting goes on while more than the reserve is free, whatever the step in which
// descriptors go, and asks for some back as soon as it is not.
func TestReserve(t *testing.T) {
	for _, limit := range []int{16, 256, 1024, 65536} {
		open, asked := 5, 0
		state := &State{Log: zap.NewNop(), Relieve: func() {}}
		r := &Reserve{State: state, LetGo: func(n int) { asked = n }, Descriptors: func() (int, int) { return open, limit }}
		accepted := 0
		for r.admits() {
			accepted++
			open++
			if open >= limit {
				t.Fatalf("of %d none is left", limit)
			}
		}
		if free := limit - open; free > Size(limit) || free < Size(limit)*3/4 {
			t.Errorf("of %d, %d were free at the end", limit, free)
		}
		if asked != 2*Size(limit)-(limit-open) || !state.Counts().Now {
			t.Errorf("of %d, %d were asked back: %+v", limit, asked, state.Counts())
		}
		looks := 0
		r.LetGo = func(int) {
			if looks++; looks == 3 {
				open -= 2
			}
		}
		r.Pause = 1
		r.Await(func() bool { return false })
		if looks != 3 {
			t.Errorf("of %d: %d looks", limit, looks)
		}
		state.End()
	}
}

// A connection that has to wait is one shortage, however often it is looked; and what is
// let go of has time to end before more is.
func TestReserveWaits(t *testing.T) {
	state := &State{Log: zap.NewNop(), Relieve: func() {}}
	defer state.End()
	looks, letGo := 0, 0
	r := &Reserve{State: state, Pause: time.Millisecond, LetGo: func(int) { letGo++ }, Descriptors: func() (int, int) { looks++; return 1000, 1024 }}
	r.letGo = time.Now().Add(time.Hour) // as if just now, whatever the clock of a slow machine
	r.Await(func() bool { return looks == 10 })
	if n := state.Counts(); n.Shortages != 1 || n.Times != 1 || !n.Now {
		t.Errorf("%+v", n)
	}
	if letGo != 0 {
		t.Errorf("let go %d times", letGo)
	}
	r.letGo = time.Now().Add(-yield * r.Pause)
	if r.admits() || letGo != 1 {
		t.Errorf("let go %d times once the last were gone", letGo)
	}
}

// Where descriptors cannot be counted nothing is held back.
func TestReserveUnknown(t *testing.T) {
	r := &Reserve{Descriptors: func() (int, int) { return 0, 0 }}
	for range 1000 {
		if !r.admits() {
			t.Fatal("held back")
		}
	}
}

func TestDescriptorsOfThisProcess(t *testing.T) {
	before, limit := descriptors()
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if after, _ := descriptors(); after != before+1 || limit <= before {
		t.Errorf("%d, then %d of %d", before, after, limit)
	}
}
