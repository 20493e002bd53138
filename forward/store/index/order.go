package index

import (
	"math"
	"sync/atomic"
	"time"
)

// Policy says who leaves first.
type Policy uint8

// The replacement policies of 2.6.
const (
	// LRU is the one that was not used for the longest time; 2.6's "heap LRU" too.
	LRU Policy = iota
	// GDSF keeps many small, popular objects (greedy dual size frequency, without
	// costs).
	GDSF
	// LFUDA keeps popular objects whatever their size (least frequently used with
	// dynamic aging).
	LFUDA
)

// Links place a record in an order. They may lie outside the record.
type Links struct {
	// LRU: the places plus one of the neighbours used later and earlier, and the
	// nanoseconds plus one of the last use. Heaps: the key in two halves, and the
	// position plus one. c is 0 while the record is in no order.
	a, b, c uint32
}

// Linked reports whether the record is in the order these links belong to.
func (l *Links) Linked() bool { return l.c != 0 }

// Order is an order in which records leave: one of memory, one of each directory.
// Its methods are called with the lock of the record's shard.
type Order struct {
	policy Policy
	links  func(*Record) *Links
	ix     *Index
	parts  [Shards]part
	// tops are what First compares, one for each shard: noTop where there is none.
	tops [Shards]atomic.Uint64
	// age is what the heaps add to keys: the key of the last that left, so that
	// what was popular long ago does leave.
	age atomic.Uint64 // bits of a float64
}

// part is the part of an order in a shard.
type part struct {
	first, last uint32 // LRU: latest and earliest use, places plus one
	heap        []uint32
	count       int
}

const noTop = math.MaxUint64

// NewOrder makes an order for records of the index; links says where those of a
// record are.
func (ix *Index) NewOrder(policy Policy, links func(*Record) *Links) *Order {
	o := &Order{ix: ix, policy: policy, links: links}
	for i := range o.tops {
		o.tops[i].Store(noTop)
	}
	return o
}

// Policy is the one it was made with.
func (o *Order) Policy() Policy { return o.policy }

// Add puts a record in, whose LastRef, Refs and size are set. It is taken for
// used at its LastRef and the nanoseconds of now.
func (o *Order) Add(s *Shard, id ID, now time.Time) {
	place, p := s.place(id), &o.parts[s.number]
	if o.policy == LRU {
		o.push(s, p, place, now)
	} else {
		o.insert(s, p, place, now)
	}
	p.count++
	o.top(s, p)
}

// Touch tells that a record in the order was used: LastRef and Refs have changed.
func (o *Order) Touch(s *Shard, id ID, now time.Time) {
	place, p := s.place(id), &o.parts[s.number]
	if o.policy == LRU {
		if l := o.links(s.record(place)); p.first == place+1 {
			l.c = uint32(now.Nanosecond()) + 1
		} else {
			o.unlink(s, p, place)
			o.push(s, p, place, now)
		}
	} else {
		o.rekey(s, p, place, now)
	}
	o.top(s, p)
}

// Remove takes a record out.
func (o *Order) Remove(s *Shard, id ID) {
	place, p := s.place(id), &o.parts[s.number]
	l := o.links(s.record(place))
	if !l.Linked() {
		return
	}
	if o.policy == LRU {
		o.unlink(s, p, place)
	} else {
		o.extract(s, p, place)
	}
	*l = Links{}
	p.count--
	o.top(s, p)
}

// Evict takes out a record because room is needed.
func (o *Order) Evict(s *Shard, id ID) {
	if o.policy != LRU {
		key := o.links(s.Record(id)).key()
		for old := o.age.Load(); key > math.Float64frombits(old); old = o.age.Load() {
			if o.age.CompareAndSwap(old, math.Float64bits(key)) {
				break
			}
		}
	}
	o.Remove(s, id)
}

// top notes which record of the shard leaves first.
func (o *Order) top(s *Shard, p *part) {
	top := uint64(noTop)
	switch {
	case o.policy == LRU && p.last != 0:
		r := s.record(p.last - 1)
		top = uint64(r.LastRef)<<32 | uint64(o.links(r).c)
	case len(p.heap) > 0:
		top = sortable(o.links(s.record(p.heap[0])).key())
	}
	if at := &o.tops[s.number]; at.Load() != top {
		at.Store(top)
	}
}

// sortable orders numbers as unsigned integers, all of them below noTop.
func sortable(f float64) uint64 {
	b := math.Float64bits(f)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// First finds the record that leaves first and returns with its shard locked; nil
// when the order is empty.
func (o *Order) First() (*Shard, ID, *Record) {
	for {
		best, at := uint64(noTop), -1
		for i := range o.tops {
			if top := o.tops[i].Load(); top < best {
				best, at = top, i
			}
		}
		if at < 0 {
			return nil, 0, nil
		}
		s := &o.ix.shards[at]
		s.Lock()
		if p := &o.parts[at]; p.count > 0 && o.tops[at].Load() <= best {
			place := p.last - 1
			if o.policy != LRU {
				place = p.heap[0]
			}
			return s, s.id(place), s.record(place)
		}
		s.Unlock()
	}
}

// Len is how many records are in the order. It locks each shard in turn.
func (o *Order) Len() (n int) {
	for i := range o.parts {
		s := &o.ix.shards[i]
		s.Lock()
		n += o.parts[i].count
		s.Unlock()
	}
	return n
}
