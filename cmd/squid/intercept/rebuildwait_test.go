package intercept

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/report"
)

// indexing is a server whose index is there when the channel is closed.
type indexing struct {
	Server
	rebuilt chan struct{}
}

func (s indexing) Transfers() int            { return 0 }
func (s indexing) Dismiss()                  {}
func (s indexing) Overload() overload.Counts { return overload.Counts{} }
func (s indexing) Rebuilt() <-chan struct{}  { return s.rebuilt }

// TestRebuildWait: a router hears of the cache when its index is there, and with
// wccp2_rebuild_wait off at once.
func TestRebuildWait(t *testing.T) {
	const own = "127.7.0.1"
	router, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.7.0.2:2048")))
	if err != nil {
		t.Skip("port 2048 cannot be had: ", err)
	}
	defer router.Close()
	heard := make(chan struct{}, 100)
	go func() {
		for buf := make([]byte, 2048); ; {
			if _, from, err := router.ReadFromUDPAddrPort(buf); err != nil {
				return
			} else if from.Addr() == netip.MustParseAddr(own) {
				heard <- struct{}{}
			}
		}
	}()
	for wait, held := range map[string]bool{"on": true, "off": false} {
		core, logs := observer.New(zap.InfoLevel)
		h := &Host{log: zap.New(core), server: indexing{rebuilt: make(chan struct{})}}
		h.cfg = parseText(t, "http_port 3128 transparent\nwccp2_router 127.7.0.2\nwccp2_address "+own+"\nwccp2_rebuild_wait "+wait+"\n")
		if got := h.wccpSettings().Hold != ""; got != held {
			t.Errorf("wccp2_rebuild_wait %s: held %v", wait, got)
		}
		if err := h.joinRouters(); err != nil {
			t.Fatal(err)
		}
		if held {
			if len(heard) > 0 {
				t.Error("the router heard of the cache before the index was there")
			}
			if !strings.Contains(lines(logs), "wccp2_rebuild_wait") {
				t.Errorf("nothing says why: %s", lines(logs))
			}
			close(h.server.(indexing).rebuilt)
		}
		select {
		case <-heard:
		case <-time.After(20 * time.Second):
			t.Errorf("wccp2_rebuild_wait %s: the router never heard of the cache", wait)
		}
		h.SilenceWCCP()
		for len(heard) > 0 {
			<-heard
		}
	}
}

func lines(logs *observer.ObservedLogs) string {
	var text strings.Builder
	for _, e := range logs.All() {
		text.WriteString(report.Line(e.Message, e.Context) + "\n")
	}
	return text.String()
}
