package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// exchanger puts one question to one server and waits for the answer until
// ctx ends. Tests bring their own.
type exchanger interface {
	exchange(ctx context.Context, server netip.AddrPort, q question) (reply, error)
}

// wire talks to real servers. Each question has a socket of its own, connected
// to the server: the kernel picks a random source port, and drops what comes
// from anyone else.
type wire struct {
	dialer net.Dialer // LocalAddr unset
	local  netip.Addr
}

func newWire(o *Options) *wire {
	return &wire{dialer: net.Dialer{Control: o.Control}, local: o.Local}
}

func (w *wire) exchange(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	var idBytes [2]byte
	rand.Read(idBytes[:])
	id := binary.BigEndian.Uint16(idBytes[:])
	msg, err := appendQuestion(make([]byte, 2, 300), id, q) // room for the length TCP wants
	if err != nil {
		return reply{}, fmt.Errorf("writing the question for %s: %w", q.name, err)
	}
	r, err := w.udp(ctx, server, id, q, msg[2:])
	if err != nil || !r.truncated {
		return r, err
	}
	return w.tcp(ctx, server, id, q, msg)
}

func (w *wire) udp(ctx context.Context, server netip.AddrPort, id uint16, q question, msg []byte) (reply, error) {
	conn, err := w.dial(ctx, "udp", server)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	defer closeAtEnd(ctx, conn)()
	if _, err := conn.Write(msg); err != nil {
		return reply{}, err
	}
	buf := make([]byte, udpMessage)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return reply{}, err
		}
		r, err := parseReply(buf[:n], id, q)
		if err == nil {
			return r, nil
		}
		// Forged, late or damaged: the true answer may still come. Whoever
		// floods us with these only uses up the time of this attempt.
	}
}

// tcp asks again after a truncated answer (RFC 7766). msg has two octets in
// front for the length.
func (w *wire) tcp(ctx context.Context, server netip.AddrPort, id uint16, q question, msg []byte) (reply, error) {
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
