package peer

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// Queries that come faster than they are read, good ones and broken ones, of two
// senders: each good one has its own answer, once, and the others have none.
func TestManyQueriesAtOnce(t *testing.T) {
	f := listening(t, "icp_access allow all\nlog_icp_queries off\n")
	senders := []*net.UDPConn{socketAt(t, netip.AddrPortFrom(anAddress(), 0)), socketAt(t, netip.AddrPortFrom(anAddress(), 0))}
	const each = 5 * batchSize
	url := func(sender, i int) string { return fmt.Sprintf("http://www.test/%d/%d", sender, i) }
	for i := range each {
		for s, c := range senders {
			b, _ := (&icp.Message{Opcode: icp.Query, Number: uint32(1000*s + i), URL: []byte(url(s, i))}).Append(nil)
			if i%5 == 4 {
				b[2]++ // another length
			}
			c.WriteToUDPAddrPort(b, f.port(23130))
		}
	}
	room := make([]byte, 64<<10)
	for s, c := range senders {
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		seen := map[uint32]bool{}
		for len(seen) < each*4/5 {
			n, _, err := c.ReadFromUDPAddrPort(room)
			if err != nil {
				t.Fatalf("sender %d: %v after %d answers", s, err, len(seen))
			}
			var m icp.Message
			if m.Parse(room[:n]) != nil || seen[m.Number] || m.Number/1000 != uint32(s) || string(m.URL) != url(s, int(m.Number%1000)) {
				t.Fatalf("sender %d got %x (%d, %s)", s, room[:n], m.Number, m.URL)
			}
			seen[m.Number] = true
		}
		c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, _, err := c.ReadFromUDPAddrPort(room); err == nil {
			t.Errorf("sender %d: one more answer, %x", s, room[:n])
		}
	}
}
