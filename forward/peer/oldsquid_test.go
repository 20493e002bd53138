package peer

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
)

// An htcp-oldsquid neighbour is asked in the old order of bits, with a number, and its
// answer is heard. (2.6 asks with the number 0 and hears no answer.)
func TestOldSquidIsAsked(t *testing.T) {
	one := anAddress()
	f := listening(t, fmt.Sprintf("icp_query_timeout 20000\ncache_peer %s parent 1 24828 htcp-oldsquid no-digest\n", one))
	over := socketAt(t, netip.AddrPortFrom(one, 24828))
	answered := make(chan error, 1)
	go func() {
		room := make([]byte, 64<<10)
		n, from, err := over.ReadFromUDPAddrPort(room)
		var m htcp.Message
		switch {
		case err != nil:
		case m.Parse(room[:n]) != nil:
			err = fmt.Errorf("asked %x", room[:n])
		case m.Minor != 0 || m.Opcode != htcp.TST || m.Number == 0 || binary.BigEndian.Uint32(room[8:]) != m.Number || room[6] != byte(htcp.TST):
			err = fmt.Errorf("asked %+v, %x", m, room[:12])
		default:
			data, _ := new(htcp.Detail).Append(nil)
			b, _ := (&htcp.Message{Minor: 0, Opcode: htcp.TST, Answer: true, Response: htcp.Present, Number: m.Number, Data: data}).Append(nil)
			_, err = over.WriteToUDPAddrPort(b, from)
		}
		answered <- err
	}()
	hops, _ := f.rig.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
	if err := <-answered; err != nil || hops[0].Code != ParentHit {
		t.Errorf("%s, %v", words(hops), err)
	}
}
