package dataplane

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// neighbourLife is how long a cache's hardware address is believed.
const neighbourLife = 5 * time.Second

// layer2 hands packets on unchanged, in frames addressed to the cache.
type layer2 struct {
	socket int
	mu     sync.Mutex
	known  map[netip.Addr]neighbour
}

type neighbour struct {
	at    unix.SockaddrLinklayer
	until time.Time
}

var (
	errNotAttached    = errors.New("cache is not on an attached network")
	errNoHardwareAddr = errors.New("cache has no hardware address yet")
)

func newLayer2() (*layer2, error) {
	// Protocol 0: this socket sends and hears nothing.
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &layer2{socket: socket, known: make(map[netip.Addr]neighbour)}, nil
}

func (l *layer2) send(cache netip.Addr, packet []byte) error {
	at, err := l.find(cache)
	if err != nil {
		return err
	}
	return unix.Sendto(l.socket, packet, 0, &at)
}

func (l *layer2) find(cache netip.Addr) (unix.SockaddrLinklayer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.known[cache]
	if ok && time.Now().Before(found.until) {
		return found.at, nil
	}
	at, err := ask(cache)
	if err != nil {
		return at, err
	}
	l.known[cache] = neighbour{at, time.Now().Add(neighbourLife)}
	return at, nil
}

// ask looks the cache up in the kernel's routes and neighbours. The protocol's own
// packets keep the neighbour fresh.
func ask(cache netip.Addr) (unix.SockaddrLinklayer, error) {
	var at unix.SockaddrLinklayer
	routes, err := netlink.RouteGet(cache.AsSlice())
	if err != nil {
		return at, err
	}
	if len(routes) == 0 || routes[0].Gw != nil {
		return at, errNotAttached
	}
	neighbours, err := netlink.NeighList(routes[0].LinkIndex, netlink.FAMILY_V4)
	if err != nil {
		return at, err
	}
	for _, n := range neighbours {
		if n.IP.Equal(net.IP(cache.AsSlice())) && len(n.HardwareAddr) == 6 {
			at.Ifindex = n.LinkIndex
			at.Protocol = binary.NativeEndian.Uint16([]byte{0x08, 0x00}) // ETH_P_IP, in network order
			at.Halen = 6
			copy(at.Addr[:], n.HardwareAddr)
			return at, nil
		}
	}
	return at, errNoHardwareAddr
}

func (l *layer2) close() error { return unix.Close(l.socket) }
