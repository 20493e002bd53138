package conf

import (
	"slices"
	"sort"
)

// spans is a set of ranges of IPv4 addresses no two of which meet: sorted blocks of
// them, so that one more costs a search and a short move.
type spans struct {
	firsts []uint32   // the first address of each block
	blocks [][]uint64 // first<<32 | last, in order
}

// maxBlock is the most ranges in a block, 4 KB of them.
const maxBlock = 512

// add adds a range unless one that is there shares an address with it.
func (s *spans) add(first, last uint32) bool {
	span := uint64(first)<<32 | uint64(last)
	if len(s.blocks) == 0 {
		s.firsts, s.blocks = []uint32{first}, [][]uint64{append(make([]uint64, 0, maxBlock), span)}
		return true
	}
	// The last block that begins at or in front of first.
	b := max(0, sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > first })-1)
	block := s.blocks[b]
	at, found := slices.BinarySearch(block, span)
	switch {
	case found,
		at > 0 && uint32(block[at-1]) >= first,
		at < len(block) && uint32(block[at]>>32) <= last,
		at == len(block) && b+1 < len(s.firsts) && s.firsts[b+1] <= last:
		return false
	}
	if len(block) == maxBlock {
		half := append(make([]uint64, 0, maxBlock), block[maxBlock/2:]...)
		s.blocks[b] = block[:maxBlock/2]
		s.blocks = slices.Insert(s.blocks, b+1, half)
		s.firsts = slices.Insert(s.firsts, b+1, uint32(half[0]>>32))
		if at > maxBlock/2 {
			b, at = b+1, at-maxBlock/2
		}
		block = s.blocks[b]
	}
	s.blocks[b] = slices.Insert(block, at, span)
	s.firsts[b] = uint32(s.blocks[b][0] >> 32)
	return true
}
