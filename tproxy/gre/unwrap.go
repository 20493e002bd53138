package gre

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync/atomic"
)

var (
	errStranger = errors.New("gre: not from a router of ours")
	errOwn      = errors.New("gre: our own address as source")
)

// unwrapper decides about one received packet. It has no state of its own besides
// what may be changed while it runs.
type unwrapper struct {
	own     func(netip.Addr) bool // addresses of this host; nil for none
	here    func(netip.Addr) bool // destinations that are delivered to this host; nil for none
	key     *uint32               // the key demanded, nil for any or none
	routers atomic.Pointer[map[netip.Addr]struct{}]
	strange atomic.Uint32 // the last stranger's address; 0 for none

	services atomic.Pointer[[]Service]
}

// setRouters limits who may send to us; nil lets everybody.
func (u *unwrapper) setRouters(list []netip.Addr) {
	if list == nil {
		u.routers.Store(nil)
		return
	}
	set := make(map[netip.Addr]struct{}, len(list))
	for _, r := range list {
		set[r.Unmap()] = struct{}{}
	}
	u.routers.Store(&set)
}

func (u *unwrapper) lastStranger() netip.Addr {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], u.strange.Load())
	if a == [4]byte{} {
		return netip.Addr{}
	}
	return netip.AddrFrom4(a)
}

// unwrap takes an IPv4 packet as a raw socket delivers it.
func (u *unwrapper) unwrap(outer []byte) (Header, Packet, netip.Addr, error) {
	o, err := inner4(outer)
	if err != nil {
		return Header{}, Packet{}, netip.Addr{}, err
	}
	h, p, err := u.from(o.Src, o.Bytes[int(outer[0]&0xf)*4:])
	return h, p, o.Src, err
}

// from takes a GRE packet and the address it came from.
func (u *unwrapper) from(router netip.Addr, packet []byte) (Header, Packet, error) {
	if routers := u.routers.Load(); routers != nil {
		if _, known := (*routers)[router]; !known {
			if router.Is4() {
				a := router.As4()
				u.strange.Store(binary.BigEndian.Uint32(a[:]))
			}
			return Header{}, Packet{}, errStranger
		}
	}
	h, payload, err := Parse(packet)
	if err != nil {
		return h, Packet{}, err
	}
	if u.key != nil && (!h.Keyed || h.Key != *u.key) {
		return h, Packet{}, errStranger
	}
	p, err := Inner(payload)
	if err != nil {
		return h, p, err
	}
	if u.own != nil && (u.own(router) || u.own(p.Src)) {
		return h, p, errOwn
	}
	return h, p, u.admit(p)
}
