package index

import (
	"math"
	"time"
)

func (l *Links) key() float64 { return math.Float64frombits(uint64(l.a)<<32 | uint64(l.b)) }

func (l *Links) setKey(k float64) {
	b := math.Float64bits(k)
	l.a, l.b = uint32(b>>32), uint32(b)
}

// worth is the key of a record in a heap: the smallest leaves first.
func (o *Order) worth(r *Record, now time.Time) float64 {
	age := math.Float64frombits(o.age.Load())
	if o.policy == GDSF {
		return age + float64(r.Refs)/float64(max(r.Size(), 1)) - earlierBySize(r)
	}
	return age + float64(r.Refs) - earlier(r, now.Unix())
}

// earlierBySize breaks ties of GDSF: of two that are worth the same the one used
// earlier leaves first. It is far below what one use of an object is worth, unless
// that is larger than a gigabyte.
func earlierBySize(r *Record) float64 {
	if r.LastRef <= 1 {
		return 1
	}
	return 1 / float64(r.LastRef)
}

// earlier breaks ties of LFUDA: 0 for what was used now, near 1 for what was not
// used for days.
func earlier(r *Record, now int64) float64 {
	const day = 24 * 60 * 60
	unused := now - int64(r.LastRef)
	if r.LastRef == 0 || unused <= 0 {
		return 0
	}
	return 1 - math.Exp(-float64(unused)/day)
}

func (o *Order) insert(s *Shard, p *part, place uint32, now time.Time) {
	r := s.record(place)
	o.links(r).setKey(o.worth(r, now))
	p.heap = append(p.heap, place)
	o.up(s, p, len(p.heap)-1)
}

func (o *Order) rekey(s *Shard, p *part, place uint32, now time.Time) {
	r := s.record(place)
	l := o.links(r)
	l.setKey(o.worth(r, now))
	at := int(l.c) - 1
	if !o.up(s, p, at) {
		o.down(s, p, at)
	}
}

func (o *Order) extract(s *Shard, p *part, place uint32) {
	at := int(o.links(s.record(place)).c) - 1
	last := len(p.heap) - 1
	moved := p.heap[last]
	p.heap = p.heap[:last]
	if at == last {
		return
	}
	o.put(s, p, at, moved)
	if !o.up(s, p, at) {
		o.down(s, p, at)
	}
}

func (o *Order) put(s *Shard, p *part, at int, place uint32) {
	p.heap[at] = place
	o.links(s.record(place)).c = uint32(at) + 1
}

// up moves the record at a position towards the top. It reports whether it moved.
func (o *Order) up(s *Shard, p *part, at int) (moved bool) {
	place := p.heap[at]
	key := o.links(s.record(place)).key()
	for at > 0 {
		above := (at - 1) / 2
		if o.links(s.record(p.heap[above])).key() <= key {
			break
		}
		o.put(s, p, at, p.heap[above])
		at, moved = above, true
	}
	o.put(s, p, at, place)
	return moved
}

func (o *Order) down(s *Shard, p *part, at int) {
	place := p.heap[at]
	key := o.links(s.record(place)).key()
	for {
		below := 2*at + 1
		if below >= len(p.heap) {
			break
		}
		least := o.links(s.record(p.heap[below])).key()
		if below+1 < len(p.heap) {
			if k := o.links(s.record(p.heap[below+1])).key(); k < least {
				below, least = below+1, k
			}
		}
		if key <= least {
			break
		}
		o.put(s, p, at, p.heap[below])
		at = below
	}
	o.put(s, p, at, place)
}
