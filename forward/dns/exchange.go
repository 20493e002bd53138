package dns

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// exchanger puts one question to one server and waits for the answer until
// ctx ends. Tests bring their own.
type exchanger interface {
	exchange(ctx context.Context, server netip.AddrPort, q question) (reply, error)
}

// maxTCP bounds the connections over which truncated answers are asked for again.
const maxTCP = 32

// wire talks to real servers.
type wire struct {
	dialer net.Dialer // LocalAddr unset
	local  netip.Addr
	tcpTo  chan struct{} // holds a token for each connection

	mu      sync.Mutex
	servers map[netip.AddrPort]*sockets
}

func newWire(o *Options) *wire {
	return &wire{dialer: net.Dialer{Control: o.Control}, local: o.Local,
		tcpTo: make(chan struct{}, maxTCP), servers: map[netip.AddrPort]*sockets{}}
}

func (w *wire) exchange(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	r, err := w.sockets(server).ask(ctx, q)
	if err != nil || !r.truncated {
		return r, err
	}
	select {
	case w.tcpTo <- struct{}{}:
		defer func() { <-w.tcpTo }()
	case <-ctx.Done():
		return reply{}, errNoAnswer
	}
	return w.tcp(ctx, server, q)
}

// sockets are those towards a server; the servers are few and the configuration's.
func (w *wire) sockets(server netip.AddrPort) *sockets {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.servers[server]
	if s == nil {
		s = &sockets{dial: func(ctx context.Context) (net.Conn, error) { return w.dial(ctx, "udp", server) }}
		w.servers[server] = s
	}
	return s
}

// tcp asks again after a truncated answer (RFC 7766).
func (w *wire) tcp(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	id := randomID()
	msg, err := appendQuestion(make([]byte, 2, 300), id, q) // behind the length
	if err != nil {
		return reply{}, fmt.Errorf("writing the question for %s: %w", q.name, err)
	}
	conn, err := w.dial(ctx, "tcp", server)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	defer closeAtEnd(ctx, conn)()
	binary.BigEndian.PutUint16(msg, uint16(len(msg)-2))
	if _, err := conn.Write(msg); err != nil {
		return reply{}, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return reply{}, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return reply{}, err
	}
	r, err := parseReply(buf, id, q)
	if err == nil && r.truncated {
		err = fmt.Errorf("%s truncated its answer over TCP", server)
	}
	return r, err
}

func (w *wire) dial(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
	d := w.dialer
	if w.local.IsValid() && w.local.Is4() == server.Addr().Is4() {
		if network == "udp" {
			d.LocalAddr = &net.UDPAddr{IP: w.local.AsSlice()}
		} else {
			d.LocalAddr = &net.TCPAddr{IP: w.local.AsSlice()}
		}
	}
	return d.DialContext(ctx, network, server.String())
}

// closeAtEnd makes reads and writes on conn fail when ctx ends, until the
// function it returns is called.
func closeAtEnd(ctx context.Context, conn net.Conn) (stop func()) {
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	cancel := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return func() { cancel() }
}
