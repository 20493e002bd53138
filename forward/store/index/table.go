package index

import "math/bits"

// The table of a shard: linear probing from the home of a hash, at most 4 of 5
// slots in use, half as large again when it must grow, so that it costs 5 to 7.5
// bytes a record.
const (
	firstSlots = 16
	fullFourOf = 5
)

// tag is the part of a hash that is kept in the slot: it saves a look at the
// record of another key in 255 of 256 cases. The low bits chose the shard.
func tag(h uint64) uint32 { return uint32(h >> 8 & 0xFF) }

// home is where the search for a hash begins.
func (s *Shard) home(h uint64) uint32 {
	at, _ := bits.Mul64(h, uint64(len(s.slots)))
	return uint32(at)
}

func (s *Shard) after(at uint32) uint32 {
	if at++; int(at) == len(s.slots) {
		return 0
	}
	return at
}

func (s *Shard) enter(place uint32, h uint64) {
	if (s.count+1)*fullFourOf > len(s.slots)*4 {
		s.growTable()
	}
	s.count++
	s.put(place, h)
}

func (s *Shard) put(place uint32, h uint64) {
	at := s.home(h)
	for s.slots[at] != 0 {
		at = s.after(at)
	}
	s.slots[at] = tag(h)<<localBits | (place + 1)
}

func (s *Shard) growTable() {
	old := s.slots
	s.slots = make([]uint32, len(old)+max(len(old)/2, firstSlots))
	for _, slot := range old {
		if slot != 0 {
			place := slot&(1<<localBits-1) - 1
			s.put(place, hash(&s.record(place).Key, s.secret))
		}
	}
}

// remove takes a record's slot out and moves up what was displaced by it.
func (s *Shard) remove(place uint32) {
	at := s.home(hash(&s.record(place).Key, s.secret))
	for s.slots[at]&(1<<localBits-1) != place+1 {
		at = s.after(at)
	}
	s.count--
	for next := s.after(at); s.slots[next] != 0; next = s.after(next) {
		moved := s.slots[next]&(1<<localBits-1) - 1
		home := s.home(hash(&s.record(moved).Key, s.secret))
		// It may move to at unless its home lies behind at, up to where it is.
		if at <= next && (home > at && home <= next) || at > next && (home > at || home <= next) {
			continue
		}
		s.slots[at] = s.slots[next]
		at = next
	}
	s.slots[at] = 0
}
