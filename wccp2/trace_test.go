package wccp2

import (
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Section 80 has a line for each packet at level 3, what it says at level 5, and
// nothing below.
func TestPacketsAreTraced(t *testing.T) {
	router := netip.MustParseAddrPort("192.0.2.1:2048")
	m := &wire.Message{
		Type: wire.ISeeYou, Service: &wire.Service{},
		RouterIdentity: &wire.RouterIdentity{RouterID: wire.RouterID{ID: router.Addr(), ReceiveID: 7}, SentTo: router.Addr()},
		RouterView:     &wire.RouterView{MemberChange: 3},
	}
	raw, err := m.Append(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for level, want := range map[zapcore.Level][]string{
		zapcore.DebugLevel: nil,
		tracePackets:       {"WCCP: received from 192.0.2.1:2048, ", ": malformed: "},
		traceContent:       {"WCCP: received from 192.0.2.1:2048, ", "WCCP: router 192.0.2.1, receive id 7; member change 3, 0 routers, 0 caches; ", ": malformed: "},
	} {
		core, logs := observer.New(level)
		log := zap.New(core)
		trace(log, "received from", router, raw)
		trace(log, "received from", router, raw[:9])
		lines := logs.All()
		if len(lines) != len(want) {
			t.Errorf("level %v: %v", level, lines)
			continue
		}
		for i, l := range lines {
			text := report.Line(l.Message, l.Context)
			if !strings.Contains(text, want[i]) || i == 0 && !strings.Contains(text, " octets: "+m.Type.String()+" for service ") {
				t.Errorf("level %v, line %d: %q", level, i, text)
			}
		}
	}
}
