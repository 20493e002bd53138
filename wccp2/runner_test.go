package wccp2

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// loopback gives addresses of 127/8 that no other test process uses.
func loopback(last byte) netip.Addr {
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(1 + pid>>8%200), byte(pid), last})
}

// handRouter is a router on a real socket, answered by hand.
type handRouter struct {
	t    *testing.T
	conn *net.UDPConn
	addr netip.Addr
	id   uint32
}

func newHandRouter(t *testing.T) *handRouter {
	a := loopback(1)
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, wire.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &handRouter{t: t, conn: c, addr: a}
}

// heard waits for a HERE_I_AM and answers it.
func (h *handRouter) heard() *wire.Message {
	h.t.Helper()
	h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 2048)
	n, from, err := h.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := wire.Parse(b[:n])
	if err != nil || m.Type != wire.HereIAm {
		h.t.Fatalf("%v %v", m, err)
	}
	h.id++
	answer := &wire.Message{
		Type: wire.ISeeYou, Service: m.Service,
		RouterIdentity: &wire.RouterIdentity{RouterID: wire.RouterID{ID: h.addr, ReceiveID: h.id}, SentTo: h.addr},
		RouterView:     &wire.RouterView{MemberChange: 1, Caches: []wire.CacheIdentity{*m.CacheIdentity}},
	}
	raw, err := answer.Append(nil, "")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.WriteToUDPAddrPort(raw, from); err != nil {
		h.t.Fatal(err)
	}
	return m
}

// ask makes the cache announce itself at once.
func (h *handRouter) ask(cache netip.Addr) {
	h.t.Helper()
	q := &wire.Message{Type: wire.RemovalQuery, Service: &wire.Service{}, Query: &wire.RouterQuery{SentTo: h.addr, RouterID: wire.RouterID{ID: h.addr}}}
	raw, err := q.Append(nil, "")
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.conn.WriteToUDPAddrPort(raw, netip.AddrPortFrom(cache, wire.Port)); err != nil {
		h.t.Fatal(err)
	}
}

// TestRunner takes an engine through its life on a real socket.
func TestRunner(t *testing.T) {
	defer goleak.VerifyNone(t)
	router := newHandRouter(t)
	core, logs := observer.New(zap.DebugLevel)
	c := &conf.WCCP{
		V2Routers: []netip.AddrPort{netip.AddrPortFrom(router.addr, 0)}, V2Address: loopback(2),
		ForwardingMethod: 1, ReturnMethod: 1, AssignmentMethod: 1, Weight: 10000,
		Services: []*conf.WCCPService{{}, {}}, ShutdownWait: time.Second,
	}
	r, err := Start(c, Settings{}, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	if m := router.heard(); m.CacheIdentity.Addr != loopback(2) {
		t.Errorf("the cache calls itself %s", m.CacheIdentity.Addr)
	}
	for r.Status().Services[0].Routers[0].State != StateJoined { // the answer is on its way
		time.Sleep(time.Millisecond)
	}
	router.ask(loopback(2))
	if m := router.heard(); m.CacheView.Routers[0].ReceiveID != 1 {
		t.Errorf("receive id %d, want 1", m.CacheView.Routers[0].ReceiveID)
	}
	var text, js bytes.Buffer
	if err := r.Status().WriteText(&text); err != nil || !strings.Contains(text.String(), "standard/0") || !strings.Contains(text.String(), "(this one)") {
		t.Errorf("%v\n%s", err, text.String())
	}
	if err := r.Status().WriteJSON(&js); err != nil || !json.Valid(js.Bytes()) {
		t.Errorf("%v\n%s", err, js.String())
	}
	moved := *c
	moved.V2Address = loopback(3)
	if err := r.Reconfigure(&moved); err != nil {
		t.Fatal(err)
	}
	r.Hold("test")
	if h := r.Status().Holds; len(h) != 1 {
		t.Error(h)
	}
	r.Release("test")
	for router.heard().CacheIdentity.Addr != loopback(3) { // those under way are from the old address
	}
	wrong := moved
	wrong.AssignmentMethod = 7
	if err := r.Reconfigure(&wrong); err == nil {
		t.Error("assignment method 7 was taken")
	}
	<-r.Leave()
	r.Close()
	r.Close()
	for _, want := range []string{"WCCP Disabled.", "Accepting WCCPv2 messages on port 2048", "Initialising all WCCPv2 lists", "stands there twice", "Closing WCCP socket"} {
		if logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(report.Line(e.Message, e.Context), want) }).Len() == 0 {
			t.Errorf("not logged: %s", want)
		}
	}
}

// TestStartWithoutRouters: nothing is opened.
func TestStartWithoutRouters(t *testing.T) {
	r, err := Start(&conf.WCCP{}, Settings{}, zap.NewNop())
	if r != nil || err != nil {
		t.Errorf("%v, %v", r, err)
	}
}

// TestStartOnABusyPort says so in 2.6's words.
func TestStartOnABusyPort(t *testing.T) {
	router := newHandRouter(t)
	_, err := Start(&conf.WCCP{V2Routers: []netip.AddrPort{netip.AddrPortFrom(router.addr, 0)}, V2Address: router.addr, AssignmentMethod: 1}, Settings{}, zap.NewNop())
	if err == nil || !strings.HasPrefix(err.Error(), "Cannot open WCCP Port") {
		t.Error(err)
	}
}
