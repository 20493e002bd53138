package index

import (
	"cmp"
	"slices"
	"time"
)

// push makes a record the one used last.
func (o *Order) push(s *Shard, p *part, place uint32, now time.Time) {
	*o.links(s.record(place)) = Links{b: p.first, c: uint32(now.Nanosecond()) + 1}
	if p.first != 0 {
		o.links(s.record(p.first - 1)).a = place + 1
	} else {
		p.last = place + 1
	}
	p.first = place + 1
}

func (o *Order) unlink(s *Shard, p *part, place uint32) {
	l := o.links(s.record(place))
	if l.a != 0 {
		o.links(s.record(l.a - 1)).b = l.b
	} else {
		p.first = l.b
	}
	if l.b != 0 {
		o.links(s.record(l.b - 1)).a = l.a
	} else {
		p.last = l.a
	}
}

// Sort puts the records of a shard in the order of their LastRef: those that were
// loaded came in any order. Heaps need none.
func (o *Order) Sort(s *Shard) {
	p := &o.parts[s.number]
	if o.policy != LRU || p.count < 2 {
		return
	}
	all := make([]uint32, 0, p.count)
	for at := p.last; at != 0; at = o.links(s.record(at - 1)).a {
		all = append(all, at)
	}
	slices.SortStableFunc(all, func(x, y uint32) int {
		rx, ry := s.record(x-1), s.record(y-1)
		return cmp.Or(cmp.Compare(rx.LastRef, ry.LastRef), cmp.Compare(o.links(rx).c, o.links(ry).c))
	})
	later := uint32(0)
	for i := len(all) - 1; i >= 0; i-- {
		l := o.links(s.record(all[i] - 1))
		l.a, l.b = later, 0
		if i > 0 {
			l.b = all[i-1]
		}
		later = all[i]
	}
	p.last, p.first = all[0], all[len(all)-1]
	o.top(s, p)
}

// Walk visits the records of a shard from the one that leaves first on; heaps
// give the others in no order.
func (o *Order) Walk(s *Shard, visit func(ID, *Record) bool) {
	p := &o.parts[s.number]
	if o.policy != LRU {
		for _, place := range p.heap {
			if !visit(s.id(place), s.record(place)) {
				return
			}
		}
		return
	}
	for at := p.last; at != 0; at = o.links(s.record(at - 1)).a {
		if !visit(s.id(at-1), s.record(at-1)) {
			return
		}
	}
}
