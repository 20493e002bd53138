package intercept

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
)

func TestTroubleIsToldOnceAMinute(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	w := &watch{log: zap.New(core)}
	at := time.Unix(1e9, 0)
	n := Counts{Stranger: "192.0.2.7"}
	step := func(after time.Duration, want int, change func()) {
		t.Helper()
		change()
		reading := n
		if n.GRE != nil {
			g := *n.GRE
			reading.GRE = &g
		}
		w.tell(reading, at.Add(after))
		if got := len(logs.TakeAll()); got != want {
			t.Errorf("after %v: %d lines, want %d", after, got, want)
		}
	}
	step(0, 0, func() { n.Dial = tproxy.DialCounts{Dials: 9, Retries: 3} })
	step(time.Second, 1, func() { n.Dial.Exhausted++ })
	step(2*time.Second, 0, func() { n.GRE = &gre.Counts{Received: 5, Stranger: 2, Lost: 1} })
	step(62*time.Second, 2, func() {})
	step(200*time.Second, 0, func() {})
	step(201*time.Second, 1, func() { *n.GRE = gre.Counts{Received: 1, Stranger: 1} }) // another receiver
	step(300*time.Second, 3, func() { n.GRE.Malformed, n.GRE.Own, n.GRE.Unsent = 1, 1, 1 })
}

func TestRoutersOf(t *testing.T) {
	cfg := parseText(t, "http_port 3128 transparent\nwccp2_router 192.0.2.2\nwccp2_router 192.0.2.1\n")
	got := routersOf(cfg, []netip.Addr{{}, netip.IPv4Unspecified(), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3"), netip.MustParseAddr("2001:db8::1")})
	if fmt.Sprint(got) != "[192.0.2.1 192.0.2.2 192.0.2.3]" {
		t.Error(got)
	}
	if list := routersOf(parseText(t, "http_port 3128\n"), nil); list == nil || len(list) != 0 {
		t.Errorf("%v: nobody is not everybody", list)
	}
}

func parseText(t *testing.T, text string) *conf.Config {
	t.Helper()
	cfg, report := conf.LoadText("squid.conf", []byte("visible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\n"+text), conf.Options{World: conf.Offline{}})
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	return cfg
}
