package peer

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A parent that failed ten times in a row is left out until a probe reaches it.
func TestDeadParentComesBack(t *testing.T) {
	r := load(t, "cache_peer one.test parent 1 0 no-query\nnever_direct allow all")
	core, seen := observer.New(zap.InfoLevel)
	r.env.Log = zap.New(core)
	p := r.list[0]
	q := question(t, "GET", "http://o.test/", "")
	for i := range downAfter {
		if hops, choice := r.Select(t.Context(), q, nil); words(hops) != "FIRST_UP_PARENT/one.test ANY_PARENT/one.test" || choice.Probed {
			t.Fatalf("after %d failures: %s", i, words(hops))
		}
		p.Failed()
	}
	ask := func(what string, wantProbe bool) {
		t.Helper()
		if hops, choice := r.Select(t.Context(), q, nil); len(hops) > 0 || choice.Probed != wantProbe {
			t.Errorf("%s: %s, probed %v", what, words(hops), choice.Probed)
		}
	}
	ended := func() bool {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if !p.probing.Load() {
				return true
			}
		}
		return false
	}
	ask("down", true)
	ask("while it is probed", false)
	r.connect <- errors.New("refused")
	if !ended() {
		t.Fatal("the probe does not end")
	}
	ask("soon after the probe", false)
	p.probed.Store(0) // long after
	ask("long after the probe", true)
	r.connect <- nil
	if !ended() || !p.upAt(time.Now()) {
		t.Fatal("the probe changed nothing")
	}
	if hops, _ := r.Select(t.Context(), q, nil); words(hops) != "FIRST_UP_PARENT/one.test ANY_PARENT/one.test" {
		t.Errorf("after the probe: %s", words(hops))
	}
	var lines []string
	for _, e := range seen.All() {
		lines = append(lines, report.Line(e.Message, e.Context))
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "TCP connection to one.test/1 failed" })
	if len(lines) != 2 || lines[0] != "Detected DEAD Parent: one.test" || lines[1] != "Detected REVIVED Parent: one.test" {
		t.Errorf("told %q", lines)
	}
}

// A parent without an address is of no use, and nobody asks in vain.
func TestParentWithoutAddress(t *testing.T) {
	r := load(t, "cache_peer p.invalid parent 1 0 no-query")
	if hops, choice := r.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil); words(hops) != "DIRECT" || choice.Probed {
		t.Errorf("%s, probed %v", words(hops), choice.Probed)
	}
}

// No probe outlives the proxy.
func TestProbeEndsWithTheProxy(t *testing.T) {
	r := load(t, "cache_peer one.test parent 1 0 no-query")
	over := make(chan struct{})
	r.env.Over = over
	p := r.list[0]
	if !p.probe(time.Hour) {
		t.Fatal("no probe")
	}
	close(over)
	for end := time.Now().Add(10 * time.Second); p.probing.Load(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it still connects")
		}
	}
}

// A peer that closes its connections is asked to keep them ten times, one that keeps
// more than half of them for good.
func TestAsksToStay(t *testing.T) {
	for _, c := range []struct{ of, keeps, asked int }{{1, 0, 10}, {1, 1, 100}, {2, 1, 10}, {3, 2, 100}} {
		p := load(t, "cache_peer a.test parent 1 0 no-query\n").list[0]
		asked := 0
		for i := range 100 {
			if !p.AsksToStay() {
				continue
			}
			p.AskedToStay()
			asked++
			if i%c.of < c.keeps {
				p.Stays()
			}
		}
		if asked != c.asked {
			t.Errorf("%d of %d kept: asked %d times, want %d", c.keeps, c.of, asked, c.asked)
		}
	}
}

// A line that names the proxy itself is no peer.
func TestOwnHostIsNoPeer(t *testing.T) {
	r := load(t, "cache_peer proxy.test parent 3128 3130\ncache_peer proxy.test parent 3129 3130 name=other\ncache_peer a.test parent 3128 3130\n")
	if len(r.list) != 2 || r.list[0].Name != "other" || r.list[1].Name != "a.test" {
		t.Errorf("%d peers, the first %s", len(r.list), r.list[0].Name)
	}
}
