package vitals

import (
	"slices"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"
)

// watched are vitals whose looks the test takes.
func watched(t *testing.T) (v *Vitals, lines func() []string) {
	core, seen := observer.New(zap.WarnLevel)
	v = new(Vitals)
	v.Watch(zap.New(core), func() *conf.Config { return new(conf.Config) })
	t.Cleanup(v.Close)
	return v, func() (list []string) {
		for _, e := range seen.TakeAll() {
			list = append(list, report.Line(e.Message, e.Context))
		}
		return list
	}
}

// Each directive has its line, at each look that finds more than it names.
func TestLines(t *testing.T) {
	v, lines := watched(t)
	begin := time.Unix(1e9, 0)
	v.before = usage{at: begin, faults: 100}
	for i, c := range []struct {
		time, faults int   // of the directives
		memory       int64 // too
		u            usage
		want         []string
	}{
		{0, 0, 0, usage{faults: 1e6, memory: 1 << 40}, nil},
		{0, 9, 1 << 30, usage{faults: 1e6 + 599, memory: 1 << 30}, nil},
		{0, 9, 1 << 30, usage{faults: 1e6 + 1198, memory: 1<<30 + 5<<20}, []string{"WARNING: Memory usage at 1029 MB"}},
		{0, 9, 0, usage{faults: 1e6 + 1198 + 660}, []string{"WARNING: Page faults occuring at 11/sec"}},
		{40, 0, 0, usage{}, []string{"WARNING: Median response time is 50 milliseconds"}},
		{60, 0, 0, usage{}, nil},
	} {
		for range 3 {
			v.Served(50 * time.Millisecond)
		}
		v.Served(time.Hour)
		c.u.at = begin.Add(time.Duration(i+1) * time.Minute)
		cfg := new(conf.Config)
		cfg.HighResponseTimeWarning, cfg.HighPageFaultWarning, cfg.HighMemoryWarning = c.time, c.faults, c.memory
		v.warn(cfg, c.u)
		if got := lines(); !slices.Equal(got, c.want) {
			t.Errorf("look %d: %q, want %q", i, got, c.want)
		}
	}
}

// The median is of the last twenty minutes.
func TestTheMedianForgets(t *testing.T) {
	v, lines := watched(t)
	cfg := new(conf.Config)
	cfg.HighResponseTimeWarning = 1000
	for range 1000 {
		v.Served(5 * time.Second)
	}
	for i := range 30 {
		v.Served(time.Millisecond)
		v.warn(cfg, usage{at: time.Unix(int64(60*i), 0)})
		if told := len(lines()) == 1; told != (i < span) {
			t.Errorf("minute %d: told %v", i, told)
		}
	}
}

// The median is that of the sorted times, within a sixteenth.
func TestMedian(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 40e6)), 1, 50).Draw(t, "times")
		var h histogram
		var all, none counts
		if _, ok := all.since(&none); ok {
			t.Fatal("a median of nothing")
		}
		for _, ms := range times {
			h.add(time.Duration(ms) * time.Millisecond)
		}
		h.read(&all)
		slices.Sort(times)
		want := times[(len(times)-1)/2]
		if got, ok := all.since(&none); !ok || got < want-want/16-1 || got > want+want/16+1 {
			t.Errorf("%d, want %d, of %v", got, want, times)
		}
	})
}

// Times beyond all bounds are counted, too.
func TestEveryTimeHasAClass(t *testing.T) {
	last := -1
	for _, ms := range []int64{-5, 0, 1, 15, 16, 17, 31, 32, 1000, 1 << 26, 1 << 40, 1<<63 - 1} {
		c := classOf(ms)
		if c < 0 || c >= classes || c < last {
			t.Errorf("%d ms: class %d behind %d", ms, c, last)
		}
		last = c
	}
}

// The kernel tells of this process.
func TestNow(t *testing.T) {
	if u := now(); u.memory < 1<<20 || u.faults < 0 || u.at.IsZero() {
		t.Errorf("%+v", u)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
