package wccp2

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func (l *lab) receiveV1(r *labRouter, from netip.Addr, datagram []byte) {
	m, err := wire.ParseV1(datagram)
	if err != nil {
		l.t.Error(err)
		return
	}
	v := &r.v1
	if m.Type == wire.V1AssignBuckets {
		if m.ReceiveID != v.sent {
			l.note("rejected", "v1", "receive id")
			return
		}
		v.buckets = nil
		for _, b := range m.Table {
			v.buckets = append(v.buckets, m.Caches[b].Addr)
		}
		v.change++
		l.note("v1_assigned", "v1", "")
		return
	}
	if !v.usable && v.seen && m.ReceiveID == v.sent {
		v.usable = true
		v.change++
	}
	v.seen = true
	v.id++
	v.sent = v.id
	out := wire.V1Message{Type: wire.V1ISeeYou, Change: v.change, ReceiveID: v.id}
	if v.usable {
		c := wire.V1Cache{Addr: from, Unassigned: true}
		for i, b := range v.buckets {
			if b == from {
				c.Buckets.Set(uint8(i))
				c.Unassigned = false
			}
		}
		out.Caches = append(out.Caches, c)
		for _, f := range l.fakes {
			out.Caches = append(out.Caches, wire.V1Cache{Addr: f.addr, Unassigned: true})
		}
	}
	b, err := out.Append(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.transmit(r, from, b)
}
