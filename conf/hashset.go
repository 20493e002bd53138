package conf

import (
	"math/bits"
)

// hashSet is a set of hashes, in one table without pointers.
type hashSet struct {
	table []uint64 // 0 for a free place
	n     int
	last  uint64 // added last: lists come in runs
}

func (s *hashSet) has(h uint64) bool {
	if len(s.table) == 0 {
		return false
	}
	h |= 1
	for at := s.slot(h); s.table[at] != 0; at = (at + 1) & (len(s.table) - 1) {
		if s.table[at] == h {
			return true
		}
	}
	return false
}

func (s *hashSet) add(h uint64) {
	h |= 1
	if h == s.last {
		return
	}
	s.last = h
	if 4*(s.n+1) > 3*len(s.table) {
		old := s.table
		s.table, s.n = make([]uint64, max(16, 2*len(old))), 0
		for _, h := range old {
			if h != 0 {
				s.put(h)
			}
		}
	}
	s.put(h)
}

func (s *hashSet) put(h uint64) {
	at := s.slot(h)
	for ; s.table[at] != 0; at = (at + 1) & (len(s.table) - 1) {
		if s.table[at] == h {
			return
		}
	}
	s.table[at] = h
	s.n++
}

func (s *hashSet) slot(h uint64) int {
	return int((h>>32 ^ h>>11) & uint64(len(s.table)-1))
}

// tailOf is the last sixteen bytes of a name as numbers that order names as
// CompareDomain does: from the end, a dot before every other byte.
func tailOf(name string) (key [2]uint64) {
	for i := range 16 {
		key[i/8] <<= 8
		if at := len(name) - 1 - i; at >= 0 {
			key[i/8] |= uint64(dotFirst(name[at]))
		}
	}
	return key
}

// dotFirst is c's place in the order of bytes in names.
func dotFirst(c byte) byte {
	switch c = lowerByte(c); {
	case c == '.':
		return 0
	case c < '.':
		return c + 1
	}
	return c
}

// leadingBytes is the number of whole zero bytes x begins with.
func leadingBytes(x uint64) int { return bits.LeadingZeros64(x) / 8 }
