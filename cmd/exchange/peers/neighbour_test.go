package peers

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"time"
)

// udp serves a UDP port of the namespace until it is torn down with it.
func (p *play) udp(addr string, port int, serve func(c *net.UDPConn, b []byte, from netip.AddrPort)) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(addr), Port: port})
	if err != nil {
		p.t.Fatal(err)
	}
	go func() {
		for {
			b := make([]byte, 64<<10)
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			serve(c, b[:n], from)
		}
	}()
}

// later sends a packet after so many milliseconds, from another address where a rule
// says so.
func (p *play) later(c *net.UDPConn, b []byte, to netip.AddrPort, r *rule) {
	send := func() {
		if r.From == "" {
			c.WriteToUDPAddrPort(b, to)
			return
		}
		if other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(r.From))); err == nil {
			other.WriteToUDPAddrPort(b, to)
			other.Close()
		}
	}
	if d := whole(r.Delay, 0); d > 0 {
		time.AfterFunc(time.Duration(d)*time.Millisecond, send)
	} else {
		send()
	}
}

// icp answers questions of the proxy as the rules say.
func (p *play) icp(name string) func(*net.UDPConn, []byte, netip.AddrPort) {
	return func(c *net.UDPConn, b []byte, from netip.AddrPort) {
		p.note(func(s *seen) { s.query(name, icpText(b)) })
		if len(b) < 20 || b[0] != 1 && b[0] != 11 {
			return
		}
		r := p.rule(func(n *neighbour) rules { return n.ICP }, name, icpURL(b))
		if r == nil || r.Reply == "NONE" {
			return
		}
		url := icpURL(b)
		if r.URL != "" {
			url = r.URL
		}
		for range whole(r.Copies, 1) {
			p.later(c, icpPacket(r.Reply, url, whole(r.Version, 2), binary.BigEndian.Uint32(b[4:]), flags(r.Flags), r.Opt, r.Length), from, r)
		}
	}
}

// htcp does so by HTCP.
func (p *play) htcp(name string) func(*net.UDPConn, []byte, netip.AddrPort) {
	return func(c *net.UDPConn, b []byte, from netip.AddrPort) {
		op, answer, _, _, id, opdata := htcpParts(b)
		p.note(func(s *seen) { s.query(name, op+" "+htcpURI(opdata)) })
		if op != "TST" || answer {
			return
		}
		r := p.rule(func(n *neighbour) rules { return n.HTCP }, name, htcpURI(opdata))
		if r == nil || r.Reply == "none" {
			return
		}
		detail := r.Detail
		if detail == nil {
			detail = []string{"Age: 5\r\n", "", ""}
		}
		data, response := counted(detail...), 0
		if r.Opdata != nil {
			data = unhex(*r.Opdata)
		}
		if r.Reply != "hit" {
			response = 1
		}
		packet := htcpPacket("TST", int(b[3]), r.Major, 1, byte(whole(r.F1, 0)), byte(whole(r.Response, response)), id+uint32(r.MsgidPlus), data, r.Length)
		p.later(c, packet, from, r)
	}
}

// rule is that of a neighbour as it is now.
func (p *play) rule(of func(*neighbour) rules, name, text string) *rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	return of(p.s.Peers[name]).of(text)
}

// names answers for every name below .test: the origin, or the neighbour of that name.
func (p *play) names(c *net.UDPConn, q []byte, from netip.AddrPort) {
	var labels []string
	i := 12
	for i < len(q) && q[i] != 0 && i+1+int(q[i]) < len(q) {
		labels = append(labels, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	if i+5 > len(q) {
		return
	}
	name := strings.ToLower(strings.Join(labels, "."))
	addr := ""
	if strings.HasSuffix(name, ".test") && !strings.HasPrefix(name, "nx") {
		addr = originAt
		if n := p.s.Peers[strings.TrimSuffix(name, ".test")]; n != nil {
			addr = n.Addr
		}
	}
	b := bytes.Clone(q[:i+5])
	copy(b[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	switch {
	case addr == "":
		b[3] = 0x83
	case binary.BigEndian.Uint16(q[i+1:]) == 1:
		b[7] = 1
		ip := netip.MustParseAddr(addr).As4()
		b = append(append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4), ip[:]...)
	}
	c.WriteToUDPAddrPort(b, from)
}
