package dns

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// truncating is a name server whose every answer by UDP is the datagram udp makes,
// and which leaves each TCP connection to tcp once the question has been read.
func truncating(t *testing.T, udp func(id uint16) []byte, tcp func(c *net.TCPConn, id uint16)) netip.AddrPort {
	t.Helper()
	addr, socket, listener := bothAt(t)
	go func() {
		buf := make([]byte, 600)
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if n >= 2 {
				socket.WriteToUDPAddrPort(udp(binary.BigEndian.Uint16(buf)), from)
			}
		}
	}()
	go func() {
		for {
			c, err := listener.AcceptTCP()
			if err != nil {
				return
			}
			var head [4]byte
			if _, err := io.ReadFull(c, head[:]); err == nil {
				io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint16(head[:]))-2)
				tcp(c, binary.BigEndian.Uint16(head[2:]))
			}
			c.Close()
		}
	}()
	return addr
}

// framed is a message as TCP carries it.
func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

func TestExchangeOverTCP(t *testing.T) {
	good := func(id uint16) message {
		return message{id: id, name: "www.test", class: dnsmessage.TypeA, answers: []answerRecord{{owner: "www.test", addr: "192.0.2.1", ttl: 5}}}
	}
	send := func(change func(m *message)) func(*net.TCPConn, uint16) {
		return func(c *net.TCPConn, id uint16) {
			m := good(id)
			change(&m)
			c.Write(framed(m.pack(t)))
		}
	}
	for name, c := range map[string]struct {
		tcp  func(c *net.TCPConn, id uint16)
		want string // "": an error
	}{
		"whole": {send(func(*message) {}), "192.0.2.1 5s"},
		"octet by octet": {func(c *net.TCPConn, id uint16) {
			for _, b := range framed(good(id).pack(t)) {
				c.Write([]byte{b})
			}
		}, "192.0.2.1 5s"},
		"more behind it": {func(c *net.TCPConn, id uint16) {
			c.Write(append(framed(good(id).pack(t)), "garbage"...))
		}, "192.0.2.1 5s"},
		"closed at once":   {func(*net.TCPConn, uint16) {}, ""},
		"half a length":    {func(c *net.TCPConn, _ uint16) { c.Write([]byte{0}) }, ""},
		"a length of zero": {func(c *net.TCPConn, _ uint16) { c.Write([]byte{0, 0}) }, ""},
		"a length below a header's": {func(c *net.TCPConn, id uint16) {
			c.Write(framed(good(id).pack(t)[:11]))
		}, ""},
		"shorter than its length": {func(c *net.TCPConn, id uint16) {
			b := framed(good(id).pack(t))
			c.Write(b[:len(b)-1])
		}, ""},
		"longer than its length": {func(c *net.TCPConn, id uint16) { // the address is cut off
			b := framed(good(id).pack(t))
			b[1] -= 2
			c.Write(b)
		}, ""},
		"reset": {func(c *net.TCPConn, id uint16) {
			c.Write(framed(good(id).pack(t))[:20])
			c.SetLinger(0)
		}, ""},
		"garbage":            {func(c *net.TCPConn, _ uint16) { c.Write(framed([]byte(strings.Repeat("\xc0", 40)))) }, ""},
		"wrong id":           {send(func(m *message) { m.id++ }), ""},
		"another name":       {send(func(m *message) { m.name = "bank.test" }), ""},
		"another type":       {send(func(m *message) { m.class = dnsmessage.TypeTXT }), ""},
		"a question":         {send(func(m *message) { m.query = true }), ""},
		"truncated as well":  {send(func(m *message) { m.truncated = true }), ""},
		"no such name":       {send(func(m *message) { m.rcode, m.answers = dnsmessage.RCodeNameError, nil }), "0s rcode 3"},
		"records of another": {send(func(m *message) { m.answers[0].owner = "bank.test" }), "0s"},
	} {
		t.Run(name, func(t *testing.T) {
			server := truncating(t, func(id uint16) []byte {
				return message{id: id, name: "www.test", class: dnsmessage.TypeA, truncated: true}.pack(t)
			}, c.tcp)
			r, err := testExchange(t, &testServer{addr: server})
			if got := describe(r, err); c.want != "" && got != c.want || c.want == "" && err == nil {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// A datagram that says it was cut is believed that, whatever its remains look like.
func TestTruncatedAnswersMayBeGarbage(t *testing.T) {
	whole := message{name: "www.test", class: dnsmessage.TypeA, truncated: true, answers: []answerRecord{{owner: "www.test", addr: "192.0.2.66", ttl: 5}}}
	for name, remains := range map[string]func(b []byte) []byte{
		"whole":             func(b []byte) []byte { return b },
		"cut in the record": func(b []byte) []byte { return b[:len(b)-3] },
		"no record at all":  func(b []byte) []byte { return b[:26] },
		"bytes behind":      func(b []byte) []byte { return append(b[:26], "\xc0\xff\xc0\x0c garbage"...) },
	} {
		t.Run(name, func(t *testing.T) {
			server := truncating(t, func(id uint16) []byte {
				m := whole
				m.id = id
				return remains(m.pack(t))
			}, func(c *net.TCPConn, id uint16) {
				c.Write(framed(message{id: id, name: "www.test", class: dnsmessage.TypeA,
					answers: []answerRecord{{owner: "www.test", addr: "192.0.2.1", ttl: 5}}}.pack(t)))
			})
			r, err := testExchange(t, &testServer{addr: server})
			if got := describe(r, err); got != "192.0.2.1 5s" {
				t.Errorf("%q", got)
			}
		})
	}
}

// Out of the box: a resolver made of nothing but servers asks the next one when
// the first breaks its connection, keeps the answer, and finds names as well.
func TestNewWithDefaults(t *testing.T) {
	broken := truncating(t, func(id uint16) []byte {
		return message{id: id, name: "www.test", class: dnsmessage.TypeA, truncated: true}.pack(t)
	}, func(c *net.TCPConn, _ uint16) { c.SetLinger(0) })
	sound := serve(t, func(_ bool, q dnsmessage.Question, id uint16) [][]byte {
		m := message{id: id, name: strings.TrimSuffix(q.Name.String(), "."), class: q.Type}
		switch q.Type {
		case dnsmessage.TypeA:
			m.answers = []answerRecord{{owner: "www.test", addr: "192.0.2.1", ttl: 3600}}
		case dnsmessage.TypePTR:
			m.answers = []answerRecord{{owner: m.name, ptr: "WWW.test", ttl: 3600}}
		}
		return [][]byte{m.pack(t)}
	})
	c := New(Options{Servers: []netip.AddrPort{broken, sound.addr}, IPv6: noIPv6})
	defer c.Close()
	for range 2 {
		if a, err := c.Addrs(t.Context(), "WWW.Test."); list(a) != "192.0.2.1" || err != nil {
			t.Errorf("%s, %v", list(a), err)
		}
	}
	s := c.Stats()
	if s.Servers[0].Queries != 1 || s.Servers[0].Replies != 0 || s.Servers[1].Replies != 1 || s.Addrs.Hits != 1 {
		t.Errorf("%+v", s)
	}
	c.Reconfigure(Options{Servers: []netip.AddrPort{sound.addr}})
	if name, err := c.Name(t.Context(), netip.MustParseAddr("::ffff:192.0.2.1")); name != "www.test" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	// With the host's own opinion about IPv6 a name is found as well.
	if a, err := c.Addrs(t.Context(), "www.test"); list(a) != "192.0.2.1" || err != nil {
		t.Errorf("%s, %v", list(a), err)
	}
	if d := (Options{}).withDefaults(); d.IPv6 == nil || len(d.Servers) != 1 || d.Hosts.Len() != 0 ||
		d.NegativeTTL != time.Minute || d.PositiveTTL != 6*time.Hour {
		t.Errorf("%+v", d)
	}
}

// A question that cannot be written is an error of that question, and no socket is
// opened for it.
func TestExchangeRefusesWhatIsNoName(t *testing.T) {
	w := newWire(&Options{Control: func(string, string, syscall.RawConn) error { return errors.New("a socket was opened") }})
	for _, name := range []string{strings.Repeat("a", 300), strings.Repeat("a", 64), "a..b"} {
		if _, err := w.exchange(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), question{name, dnsmessage.TypeA}); err == nil ||
			!strings.Contains(err.Error(), "writing the question") {
			t.Errorf("%.20s: %v", name, err)
		}
	}
}
