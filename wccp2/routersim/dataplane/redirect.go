package dataplane

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// largestPacket bounds what one IPv4 packet can hold.
const largestPacket = 65535

// listenGRE opens the socket that GRE is sent and received by. The outer packet may
// be fragmented on its way, whatever the inner one says.
func listenGRE(router netip.Addr) (*net.IPConn, error) {
	conn, err := net.ListenIP("ip4:47", &net.IPAddr{IP: router.AsSlice()})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		controlErr := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
			// A burst must not be lost here; without the right to force, the usual size has to do.
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 4<<20)
		})
		err = errors.Join(controlErr, err)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// redirectAll serves one service: every packet its TUN delivers goes to a cache or
// back to the kernel.
func (p *Plane) redirectAll(c *channel) {
	buffer := make([]byte, encapsulation+largestPacket)
	for {
		n, err := c.tun.Read(buffer[encapsulation:])
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			p.counters.add(c.key, "unreadable", netip.Addr{})
			return
		}
		p.redirect(c, buffer[:encapsulation+n])
	}
}

// redirect decides about one packet, which stands behind room for the GRE header.
func (p *Plane) redirect(c *channel, framed []byte) {
	packet := framed[encapsulation:]
	flow, ok := routersim.FlowOf(packet)
	if !ok {
		p.counters.add(c.key, "not IPv4", netip.Addr{})
		return
	}
	table := c.table.Load()
	if table == nil {
		p.forward(c, packet, "unassigned")
		return
	}
	if traffic, any := routersim.TrafficOf(table.Service); !any || !traffic.Includes(flow) {
		p.forward(c, packet, "unmatched")
		return
	}
	choice, found := table.Choose(flow)
	if !found {
		p.forward(c, packet, "unassigned")
		return
	}
	p.hand(c, framed, choice, table.Bare)
	if p.config.Opened != nil && opensConnection(packet) {
		p.config.Opened(Redirect{c.key, flow, choice})
	}
}

// hand gives the packet to the chosen cache.
func (p *Plane) hand(c *channel, framed []byte, choice routersim.Choice, bare bool) {
	cache, method := choice.Target.Cache, "gre"
	var err error
	if choice.Target.ByLayer2 {
		method = "l2"
		err = p.layer2.send(cache, framed[encapsulation:])
	} else {
		framed = putHeaders(framed, c.key, choice, bare)
		_, err = p.gre.WriteToIP(framed, &net.IPAddr{IP: cache.AsSlice()})
	}
	if err != nil {
		p.counters.add(c.key, reason(err), cache)
		return
	}
	p.counters.add(c.key, method, cache)
}

// reason is the bare fact in an error, without the addresses that would make every
// counter its own.
func reason(err error) string {
	var fact unix.Errno
	if errors.As(err, &fact) {
		return fact.Error()
	}
	return err.Error()
}

// forward lets the kernel carry the packet on. It comes in by our device now, so it
// is not marked again.
func (p *Plane) forward(c *channel, packet []byte, why string) {
	if _, err := c.tun.Write(packet); err != nil {
		why = "not forwarded"
	}
	p.counters.add(c.key, why, netip.Addr{})
}

// acceptReturns forwards what caches send back. Only caches that some table names
// are believed.
func (p *Plane) acceptReturns() {
	buffer := make([]byte, largestPacket)
	for {
		n, from, err := p.gre.ReadFromIP(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error about an earlier packet
		}
		source, _ := netip.AddrFromSlice(from.IP.To4())
		key, known := p.serves(source)
		if !known {
			p.counters.add(key, "return from a stranger", source)
			continue
		}
		packet, err := unwrap(buffer[:n])
		if err != nil {
			p.counters.add(key, "return: "+err.Error(), source)
			continue
		}
		if _, err := p.back.Write(packet); err != nil {
			p.counters.add(key, "return not forwarded", source)
			continue
		}
		p.counters.add(key, "returned", source)
	}
}

// serves finds a service in whose table the cache stands.
func (p *Plane) serves(cache netip.Addr) (wire.ServiceID, bool) {
	for key, c := range p.channels {
		table := c.table.Load()
		if table == nil {
			continue
		}
		for _, target := range table.Targets {
			if target.Cache == cache {
				return key, true
			}
		}
	}
	return wire.ServiceID{}, false
}

// opensConnection tells the first packet of a TCP connection in either direction.
func opensConnection(packet []byte) bool {
	const tcp, syn, flagsAt = 6, 0x02, 13
	header := int(packet[0]&0xF) * 4
	return packet[9] == tcp && len(packet) > header+flagsAt && packet[header+flagsAt]&syn != 0
}
