package wccp2

import (
	"fmt"
	"net/netip"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Levels of debug section 80: each packet, and what it says.
const (
	tracePackets zapcore.Level = 1 - 3
	traceContent zapcore.Level = 1 - 5
)

// trace writes a line about a packet that was received from or sent to a router, for
// those who follow section 80.
func trace(log *zap.Logger, what string, router netip.AddrPort, datagram []byte) {
	line := log.Check(tracePackets, "WCCP: {way} {router}, {octets} octets: {message}")
	if line == nil {
		return
	}
	kind, content := summary(datagram)
	line.Write(zap.String("way", what), zap.Stringer("router", router), zap.Int("octets", len(datagram)), zap.String("message", kind))
	if more := log.Check(traceContent, "WCCP: {content}"); more != nil && content != "" {
		more.Write(zap.String("content", content))
	}
}

// summary gives the kind of a message, and what it says beside that.
func summary(datagram []byte) (kind, content string) {
	if wire.IsV1(datagram) {
		m, err := wire.ParseV1(datagram)
		if err != nil {
			return "malformed: " + err.Error(), ""
		}
		return fmt.Sprintf("version 1 %s", m.Type), fmt.Sprintf("receive id %d, change %d, %d caches", m.ReceiveID, m.Change, len(m.Caches))
	}
	m, err := wire.Parse(datagram)
	if err != nil {
		return "malformed: " + err.Error(), ""
	}
	kind = fmt.Sprintf("%s for service %s", m.Type, m.Service.ServiceID)
	if id := m.RouterIdentity; id != nil {
		content += fmt.Sprintf("router %s, receive id %d; ", id.ID, id.ReceiveID)
	}
	if c := m.CacheIdentity; c != nil {
		content += fmt.Sprintf("cache %s; ", c.Addr)
	}
	if v := m.RouterView; v != nil {
		content += fmt.Sprintf("member change %d, %d routers, %d caches; ", v.MemberChange, len(v.Routers), len(v.Caches))
	}
	if v := m.CacheView; v != nil {
		content += fmt.Sprintf("view change %d, %d routers, %d caches; ", v.Change, len(v.Routers), len(v.Caches))
	}
	if m.Assignment != nil || m.AltAssignment != nil {
		content += "an assignment; "
	}
	return kind, content + fmt.Sprintf("%d capabilities, security %v", len(m.Capabilities), m.Security.Option)
}
