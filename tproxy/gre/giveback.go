package gre

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
)

// memory remembers, for pairs of addresses, which router sent their packets and
// with which header. It has a fixed size; a newer pair takes an older one's place.
type memory struct {
	seed maphash.Seed
	mu   sync.Mutex
	slot []sent
}

type sent struct {
	src, dst netip.Addr
	router   netip.Addr
	header   Header
}

const memorySlots = 1 << 15

func newMemory() *memory {
	return &memory{seed: maphash.MakeSeed(), slot: make([]sent, memorySlots)}
}

func (m *memory) at(p Packet) *sent {
	return &m.slot[maphash.Comparable(m.seed, [2]netip.Addr{p.Src, p.Dst})%memorySlots]
}

func (m *memory) remember(p Packet, router netip.Addr, h Header) {
	s := m.at(p)
	m.mu.Lock()
	*s = sent{p.Src, p.Dst, router, h}
	m.mu.Unlock()
}

func (m *memory) recall(p Packet) (sent, bool) {
	s := m.at(p)
	m.mu.Lock()
	defer m.mu.Unlock()
	return *s, s.src == p.Src && s.dst == p.Dst && s.router.IsValid()
}

// giveBack reads packets the host routed to the device, because no rule took
// them, and sends them to the router they came from.
func (d *Decapsulator) giveBack() {
	packet := make([]byte, packetLen)
	wrapped := make([]byte, 0, packetLen+MaxHeader)
	var sequence uint32
	for {
		n, err := d.tun.Read(packet)
		if err != nil {
			return
		}
		p, err := Inner(packet[:n])
		if err != nil || !p.Dst.IsGlobalUnicast() {
			continue // the kernel's own chatter on a new device
		}
		from, known := d.back.recall(p)
		if !known {
			d.count.unknown.Add(1)
			continue
		}
		if from.header.Sequenced {
			from.header.Sequence = sequence
			sequence++
		}
		wrapped = from.header.Append(wrapped[:0], p.Bytes)
		if _, err := d.socket.WriteToIP(wrapped, &net.IPAddr{IP: from.router.AsSlice()}); err != nil {
			d.count.unsent.Add(1)
			continue
		}
		d.count.returned.Add(1)
	}
}
