// Package pinger measures how far hosts are, by ICMP echo: the part of 2.6's
// pinger_program, without a program. It asks and hears; what comes of it is kept by
// package netdb.
package pinger

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// Bounds of what is under way.
const (
	// mostEchoes is how many echoes may be awaited: the numbers of later ones take
	// the place of the oldest.
	mostEchoes = 1024
	// longest is the longest round trip that is believed, as between caches.
	longest = time.Minute
	// Reading that fails so often in a row rests in between.
	someFaults = 100
	faultRest  = 10 * time.Millisecond
	// bodySize is what an echo carries in octets: a secret that who does not see the
	// echo cannot know.
	bodySize = 16
)

// Pinger is a socket for ICMP echoes.
type Pinger struct {
	conn *icmp.PacketConn
	ip4  *ipv4.PacketConn
	raw  bool // replies to other programs come here too
	id   uint16

	mu     sync.Mutex // guards what follows
	next   uint16
	echoes [mostEchoes]echo
}

// echo is one that is awaited.
type echo struct {
	number uint16
	to     netip.Addr // invalid when nothing is awaited
	sent   time.Time
	secret [bodySize]byte
}

// Open opens the socket: one the kernel gives any process whose group is in
// net.ipv4.ping_group_range, or else a raw one, which needs CAP_NET_RAW.
func Open() (*Pinger, error) {
	p := &Pinger{id: uint16(os.Getpid())}
	conn, err := icmp.ListenPacket("udp4", "0.0.0.0")
	if err != nil {
		var refused error
		if conn, refused = icmp.ListenPacket("ip4:icmp", "0.0.0.0"); refused != nil {
			return nil, fmt.Errorf("no socket for ICMP: %w (net.ipv4.ping_group_range allows groups one), %w", err, refused)
		}
		p.raw = true
	}
	p.conn, p.ip4 = conn, conn.IPv4PacketConn()
	if err := p.prepare(); err != nil {
		conn.Close()
		return nil, err
	}
	return p, nil
}

func (p *Pinger) prepare() error {
	if err := p.ip4.SetControlMessage(ipv4.FlagTTL, true); err != nil {
		return fmt.Errorf("ICMP: the time to live of replies: %w", err)
	}
	if !p.raw {
		return nil
	}
	var only ipv4.ICMPFilter
	only.SetAll(true)
	only.Accept(ipv4.ICMPTypeEchoReply)
	if err := p.ip4.SetICMPFilter(&only); err != nil {
		return fmt.Errorf("ICMP: replies alone: %w", err)
	}
	return nil
}

// Send sends an echo to an IPv4 address. One that cannot be sent is as good as
// unanswered.
func (p *Pinger) Send(to netip.Addr) {
	to = to.Unmap()
	if !to.Is4() {
		return
	}
	message := p.await(to, time.Now())
	b, err := message.Marshal(nil)
	if err != nil {
		return
	}
	if p.raw {
		_, _ = p.conn.WriteTo(b, &net.IPAddr{IP: to.AsSlice()})
	} else {
		_, _ = p.conn.WriteTo(b, &net.UDPAddr{IP: to.AsSlice()})
	}
}

// await makes the next echo and keeps what its reply is known by.
func (p *Pinger) await(to netip.Addr, now time.Time) icmp.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	e := &p.echoes[p.next%mostEchoes]
	*e = echo{number: p.next, to: to, sent: now}
	rand.Read(e.secret[:])
	return icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(p.id), Seq: int(p.next), Data: append([]byte(nil), e.secret[:]...)}}
}

// Receive tells of every reply to an echo, once, until the Pinger is closed.
func (p *Pinger) Receive(heard func(from netip.Addr, rtt time.Duration, hops int)) {
	room := make([]byte, 1500)
	for faults := 0; ; {
		n, control, from, err := p.ip4.ReadFrom(room)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || control == nil {
			if faults++; faults > someFaults {
				time.Sleep(faultRest)
			}
			continue
		}
		faults = 0
		if addr, rtt, ok := p.match(room[:n], addressOf(from), time.Now()); ok {
			heard(addr, rtt, Hops(control.TTL))
		}
	}
}

func addressOf(a net.Addr) netip.Addr {
	var ip net.IP
	switch a := a.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	addr, _ := netip.AddrFromSlice(ip)
	return addr.Unmap()
}

// match finds the echo a message is the reply to: number, secret and address must be
// those of one that is awaited. It is awaited no more then.
func (p *Pinger) match(b []byte, from netip.Addr, now time.Time) (netip.Addr, time.Duration, bool) {
	const header = 8
	if len(b) < header+bodySize || b[0] != byte(ipv4.ICMPTypeEchoReply) || b[1] != 0 {
		return from, 0, false
	}
	number := binary.BigEndian.Uint16(b[6:])
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &p.echoes[number%mostEchoes]
	if e.number != number || !e.to.IsValid() || e.to != from || e.secret != [bodySize]byte(b[header:]) {
		return from, 0, false
	}
	e.to = netip.Addr{}
	rtt := now.Sub(e.sent)
	return from, rtt, rtt <= longest
}

// Close ends Receive.
func (p *Pinger) Close() error { return p.conn.Close() }

// Hops is how many hops a packet took, by what is left of its time to live: systems
// begin with 32, 64, 128 or 255.
func Hops(ttl int) int {
	for _, first := range []int{32, 64, 128} {
		if ttl <= first {
			return first - ttl + 1
		}
	}
	return max(255-ttl, 0) + 1
}
