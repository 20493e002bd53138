package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// openDescriptors counts what this process has open.
func openDescriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// However many questions wait for a server that says nothing, they hold few
// descriptors; each still has a random id, and all are gone when they end.
func TestWaitingQuestionsShareSockets(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.SetReadBuffer(4 << 20)
	before := openDescriptors(t)
	w := newWire(&Options{})
	addr := server.LocalAddr().(*net.UDPAddr).AddrPort()
	ctx, cancel := context.WithCancel(t.Context())
	const questions = 3000
	var group sync.WaitGroup
	ports, ids := map[uint16]int{}, map[uint16]bool{}
	for i := range questions {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := w.exchange(ctx, addr, question{fmt.Sprintf("n%d.test", i), dnsmessage.TypeA}); !errors.Is(err, errNoAnswer) {
				t.Errorf("question %d: %v", i, err)
			}
		}()
		buf := make([]byte, 512)
		server.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, from, err := server.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		ports[from.Port()]++
		ids[uint16(buf[0])<<8|uint16(buf[1])] = true
	}
	if n := openDescriptors(t) - before; n > maxSockets+maxRetired {
		t.Errorf("%d descriptors for %d questions", n, questions)
	}
	if len(ports) < maxSockets || len(ids) < questions*9/10 {
		t.Errorf("%d ports, %d ids", len(ports), len(ids))
	}
	cancel()
	group.Wait()
	s := w.sockets(addr)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) != 0 || s.retired != 0 || s.opening != 0 {
		t.Errorf("%d open, %d retired, %d being opened", len(s.open), s.retired, s.opening)
	}
}

// A question alone has a port of its own, and the next one another.
func TestQuestionsAloneHavePortsOfTheirOwn(t *testing.T) {
	var mu sync.Mutex
	ports := map[uint16]bool{}
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 512)
		for {
			_, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			mu.Lock()
			ports[from.Port()] = true
			mu.Unlock()
			m := message{id: uint16(buf[0])<<8 | uint16(buf[1]), name: "www.test", class: dnsmessage.TypeA}
			server.WriteToUDPAddrPort(m.pack(t), from)
		}
	}()
	w := newWire(&Options{})
	for range 40 {
		if _, err := w.exchange(t.Context(), server.LocalAddr().(*net.UDPAddr).AddrPort(), question{"www.test", dnsmessage.TypeA}); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ports) < 35 {
		t.Errorf("%d ports for 40 questions", len(ports))
	}
}

// fakeConn is a connection that fails when told.
type fakeConn struct {
	net.Conn
	broken chan error
}

func (c *fakeConn) Read([]byte) (int, error)    { return 0, <-c.broken }
func (c *fakeConn) Write(b []byte) (int, error) { return len(b), nil }
func (c *fakeConn) Close() error {
	select {
	case c.broken <- net.ErrClosed:
	default:
	}
	return nil
}

// Where no more descriptors can be had questions go over the sockets that are open;
// a server that is not there ends all questions that wait at its socket.
func TestSocketsInWant(t *testing.T) {
	var made []*fakeConn
	var s sockets
	s.dial = func(context.Context) (net.Conn, error) {
		if len(made) == 2 {
			return nil, os.NewSyscallError("socket", os.ErrPermission)
		}
		made = append(made, &fakeConn{broken: make(chan error, 1)})
		return made[len(made)-1], nil
	}
	ended := make(chan error)
	for i := range 20 {
		w := &waiting{question{fmt.Sprintf("n%d.test", i), dnsmessage.TypeA}, make(chan outcome, 1)}
		sock, id, err := s.enter(t.Context(), w)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			o := <-w.outcome
			s.leave(sock, id, w)
			ended <- o.err
		}()
	}
	refused := errors.New("connection refused")
	for _, c := range made {
		c.broken <- refused
	}
	for range 20 {
		if err := <-ended; err != refused {
			t.Error(err)
		}
	}
	if _, _, err := s.enter(t.Context(), &waiting{outcome: make(chan outcome, 1)}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("without any socket: %v", err)
	}
	if len(s.open) != 0 {
		t.Errorf("%d sockets open", len(s.open))
	}
}

// A server that is not there is noticed at once.
func TestServerThatRefuses(t *testing.T) {
	_, err := newWire(&Options{}).exchange(t.Context(), netip.MustParseAddrPort("127.0.0.1:1"), question{"www.test", dnsmessage.TypeA})
	if err == nil || errors.Is(err, errNoAnswer) {
		t.Error(err)
	}
}
