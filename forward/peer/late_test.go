package peer

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// An answer that comes too late for its round shows that its sender lives. By ICP it
// also shows how long that one takes, until the request has its reply (recorded in
// sel-timeout-dynamic and sel-timeout-default).
func TestLateAnswers(t *testing.T) {
	one, two := anAddress(), anAddress()
	f := listening(t, fmt.Sprintf("minimum_icp_query_timeout 1\ncache_peer %s parent 1 23131 no-digest\ncache_peer %s parent 1 24828 htcp no-digest\n", one, two))
	type sent struct {
		number uint32
		from   netip.AddrPort
	}
	overICP, questions := (*net.UDPConn)(nil), make(chan sent, 1)
	cacheAt(t, netip.AddrPortFrom(one, 23131), func(c *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		overICP = c
		questions <- sent{m.Number, from}
	})
	overHTCP := socketAt(t, netip.AddrPortFrom(two, 24828))
	sayMiss := func() { // the answer to the next HTCP question
		room := make([]byte, 64<<10)
		n, from, err := overHTCP.ReadFromUDPAddrPort(room)
		var m htcp.Message
		if err != nil || m.Parse(room[:n]) != nil {
			t.Fatalf("asked %x, %v", room[:n], err)
		}
		data, _ := new(htcp.Detail).Append(nil)
		b, _ := (&htcp.Message{Minor: 1, Opcode: htcp.TST, Answer: true, Response: htcp.Absent, Number: m.Number, Data: data}).Append(nil)
		overHTCP.WriteToUDPAddrPort(b, from)
	}
	for i, replied := range []bool{false, true} {
		hops, choice := f.rig.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
		if hops[0].Code != timeout+FirstUpParent {
			t.Fatalf("nobody has answered: %s", words(hops))
		}
		if replied {
			choice.Replied()
		}
		before := f.rig.list[0].averageRTT()
		q := <-questions
		say(overICP, q.from, icp.Miss, q.number)
		sayMiss()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			one, two := f.rig.list[0].status(time.Now()), f.rig.list[1].status(time.Now())
			if one.Answers == uint64(i)+1 && one.Ignored == one.Answers && two.Answers == one.Answers && two.Ignored == one.Answers {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("after a late answer of each: %+v %+v", one, two)
			}
		}
		if learned := f.rig.list[0].averageRTT() != before; learned == replied {
			t.Errorf("a late answer, the request has a reply: %v; learned %v", replied, learned)
		}
		if rtt := f.rig.list[1].averageRTT(); rtt != 0 {
			t.Errorf("a late answer of HTCP taught %v", rtt)
		}
	}
}
