package wccp2

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// spoil damages a finished packet as the faults say.
func (l *lab) spoil(b []byte, routers int) []byte {
	f := l.fault
	for _, t := range f.Missing {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == t {
				return nil
			}
			return part
		})
	}
	for _, t := range f.Duplicate {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == t {
				return append(slices.Clone(part), part...)
			}
			return part
		})
	}
	if len(f.ViewCounts) == 2 {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == int(wire.RouterViewInfo) {
				if f.ViewCounts[0] != nil {
					binary.BigEndian.PutUint32(part[16:], *f.ViewCounts[0])
				}
				if f.ViewCounts[1] != nil {
					binary.BigEndian.PutUint32(part[20+4*routers:], *f.ViewCounts[1])
				}
			}
			return part
		})
	}
	if f.Truncate > 0 {
		b = b[:min(len(b), f.Truncate)]
		if f.FixLength {
			binary.BigEndian.PutUint16(b[6:], uint16(len(b)-8))
		}
	}
	if len(f.ComponentLen) == 2 {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == f.ComponentLen[0] {
				binary.BigEndian.PutUint16(part[2:], uint16(f.ComponentLen[1]))
			}
			return part
		})
	}
	return b
}

func eachComponent(b []byte, f func(t int, part []byte) []byte) []byte {
	out := slices.Clone(b[:8])
	for at := 8; at < len(b); {
		n := 4 + int(binary.BigEndian.Uint16(b[at+2:]))
		out = append(out, f(int(binary.BigEndian.Uint16(b[at:])), slices.Clone(b[at:at+n]))...)
		at += n
	}
	binary.BigEndian.PutUint16(out[6:], uint16(len(out)-8))
	return out
}

// fuzz sends malformed answers to every cache.
func (l *lab) fuzz(count int, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 0))
	for _, r := range l.routers {
		for _, g := range r.order {
			for _, c := range g.caches {
				if c.fake {
					continue
				}
				var base []byte
				send := l.send
				l.send = func(_, _ netip.Addr, b []byte) { base = b }
				l.seeYou(r, g, c, c.addr)
				l.send = send
				for range count {
					b := slices.Clone(base)
					for range dice.IntN(8) {
						b[dice.IntN(len(b))] = byte(dice.Uint32())
					}
					if dice.IntN(2) == 0 {
						b = b[:dice.IntN(len(b))]
					}
					l.transmit(r, c.addr, b)
				}
			}
		}
	}
}
