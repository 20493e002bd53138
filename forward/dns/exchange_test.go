package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// testServer is a name server on the loopback. reply makes the answers to one
// question, for UDP and for TCP.
type testServer struct {
	addr netip.AddrPort
	udp  *net.UDPConn
	tcp  net.Listener
}

// bothAt are a socket and a listener of one address, until the test ends.
func bothAt(t *testing.T) (netip.AddrPort, *net.UDPConn, *net.TCPListener) {
	t.Helper()
	for {
		tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		addr := tcp.Addr().(*net.TCPAddr).AddrPort()
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
		if err == nil {
			t.Cleanup(func() { udp.Close(); tcp.Close() })
			return addr, udp, tcp
		}
		tcp.Close()
		if !errors.Is(err, unix.EADDRINUSE) { // by UDP: the next port may be free for both
			t.Fatal(err)
		}
	}
}

func serve(t *testing.T, answers func(tcp bool, q dnsmessage.Question, id uint16) [][]byte) *testServer {
	t.Helper()
	addr, udp, tcp := bothAt(t)
	s := &testServer{addr, udp, tcp}
	parse := func(b []byte) (q dnsmessage.Question, id uint16) {
		var p dnsmessage.Parser
		head, err := p.Start(b)
		if err != nil {
			return
		}
		q, _ = p.Question()
		return q, head.ID
	}
	go func() {
		buf := make([]byte, 600)
		for {
			n, from, err := udp.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			q, id := parse(buf[:n])
			for _, b := range answers(false, q, id) {
				udp.WriteToUDPAddrPort(b, from)
			}
		}
	}()
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			io.ReadFull(c, size[:])
			buf := make([]byte, binary.BigEndian.Uint16(size[:]))
			io.ReadFull(c, buf)
			q, id := parse(buf)
			for _, b := range answers(true, q, id) {
				c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
			}
			c.Close()
		}
	}()
	return s
}

func testExchange(t *testing.T, s *testServer) (reply, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return newWire(&Options{}).exchange(ctx, s.addr, question{"www.test", dnsmessage.TypeA})
}

func TestExchangeIgnoresForgeries(t *testing.T) {
	s := serve(t, func(tcp bool, q dnsmessage.Question, id uint16) [][]byte {
		good := message{id: id, name: "www.test", class: q.Type, answers: []answerRecord{{owner: "www.test", addr: "192.0.2.1", ttl: 5}}}
		wrongID, wrongName := good, good
		wrongID.id++
		wrongID.answers = []answerRecord{{owner: "www.test", addr: "192.0.2.66", ttl: 5}}
		wrongName.name = "bank.test"
		return [][]byte{{}, {1, 2, 3}, wrongID.pack(t), wrongName.pack(t), good.pack(t)}
	})
	r, err := testExchange(t, s)
	if got := describe(r, err); got != "192.0.2.1 5s" {
		t.Error(got)
	}
}

func TestExchangeFallsBackToTCP(t *testing.T) {
	s := serve(t, func(tcp bool, q dnsmessage.Question, id uint16) [][]byte {
		m := message{id: id, name: "www.test", class: q.Type, truncated: !tcp}
		if tcp {
			for i := range 100 {
				m.answers = append(m.answers, answerRecord{owner: "www.test", addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String(), ttl: 5})
			}
		}
		return [][]byte{m.pack(t)}
	})
	r, err := testExchange(t, s)
	if err != nil || len(r.addrs) != 100 {
		t.Errorf("%d addresses, %v", len(r.addrs), err)
	}
}

func TestExchangeTruncatedOverTCP(t *testing.T) {
	s := serve(t, func(tcp bool, q dnsmessage.Question, id uint16) [][]byte {
		return [][]byte{message{id: id, name: "www.test", class: q.Type, truncated: true}.pack(t)}
	})
	if _, err := testExchange(t, s); err == nil {
		t.Error("an answer that is truncated everywhere was taken")
	}
}

func TestExchangeEndsWithContext(t *testing.T) {
	asked := make(chan struct{}, 10)
	s := serve(t, func(bool, dnsmessage.Question, uint16) [][]byte { asked <- struct{}{}; return nil })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := newWire(&Options{}).exchange(ctx, s.addr, question{"www.test", dnsmessage.TypeA})
		ended <- err
	}()
	<-asked
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
}

// Ids and source ports must not repeat in a pattern: of 50 questions, some
// have to differ in each.
func TestExchangeIsHardToGuess(t *testing.T) {
	var mu sync.Mutex
	ids := map[uint16]bool{}
	s := serve(t, func(_ bool, q dnsmessage.Question, id uint16) [][]byte {
		mu.Lock()
		ids[id] = true
		mu.Unlock()
		return [][]byte{message{id: id, name: "www.test", class: q.Type}.pack(t)}
	})
	for range 50 {
		if _, err := testExchange(t, s); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) < 40 {
		t.Errorf("only %d different ids in 50 questions", len(ids))
	}
}
