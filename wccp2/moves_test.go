package wccp2

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestMovesAreToldWithTransfers: another cache joins, and what it takes is told in
// one line with the transfers that were running.
func TestMovesAreToldWithTransfers(t *testing.T) {
	cfg := benchConfig()
	cfg.Transfers = func() int { return 17 }
	told := 0
	cfg.Moved = func() { told++ }
	b := newBench(t, cfg)
	b.served(alone())
	b.members(withOne())
	b.gives(selfAddr, 128)
	b.pass(Interval)
	b.deliver(b.answer(), "")
	b.pass(2 * movesGather)
	if b.logged("WCCP: buckets moved away: 128 of dynamic/80; 17 transfers were running") != 1 {
		t.Errorf("%q", b.lines)
	}
	if told != 1 {
		t.Errorf("told %d times of one move", told)
	}
	b.gives(selfAddr, 100)
	b.pass(Interval)
	b.deliver(b.answer(), "")
	if m := b.e.Status(b.now).Moves; m != (Moves{Buckets: 156, Transfers: 34}) {
		t.Errorf("%+v", m)
	}
	var text bytes.Buffer
	if err := b.e.Status(b.now).WriteText(&text); err != nil || !strings.Contains(text.String(), "buckets moved away: 156, with 34 transfers running") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestASilentRouterTakesItsBuckets: what a lost router gave us is gone as well.
func TestASilentRouterTakesItsBuckets(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.pass(lostAfter + 2*movesGather)
	if b.logged("WCCP: buckets moved away: 256 of dynamic/80; 0 transfers were running") != 1 {
		t.Errorf("%q", b.lines)
	}
}

// TestMovesOfALeavingCacheAreToldBeforeItHasLeft: the line does not wait for the
// gathering, which the process would not live to see.
func TestMovesOfALeavingCacheAreToldBeforeItHasLeft(t *testing.T) {
	cfg := benchConfig()
	cfg.ShutdownWait = 35 * time.Second
	cfg.Transfers = func() int { return 3 }
	told := 0
	cfg.Moved = func() { told++ }
	b := newBench(t, cfg)
	b.served(withOne())
	b.e.Leave(b.now)
	b.take()
	b.members(map[string]uint16{"10.66.0.20": 0, "10.66.0.30": 10000})
	b.key.Change++
	b.deliver(b.answer(), "")
	if !b.e.Left() || b.logged("128 of dynamic/80; 3 transfers were running") != 1 || told != 1 {
		t.Errorf("left %v, told %d times: %q", b.e.Left(), told, b.lines)
	}
}
