package conf

import (
	"slices"
	"sort"
)

// spans is a set of numbered ranges of IPv4 addresses no two of which meet: sorted
// blocks of them, so that one more costs a search and a short move.
type spans struct {
	firsts []uint32 // the first address of each block
	blocks []spanBlock
}

type spanBlock struct {
	ranges  []uint64 // first<<32 | last, in order
	numbers []uint32
}

// maxBlock is the most ranges in a block, 6 KB of them.
const maxBlock = 512

func newSpanBlock(b spanBlock) spanBlock {
	return spanBlock{append(make([]uint64, 0, maxBlock), b.ranges...), append(make([]uint32, 0, maxBlock), b.numbers...)}
}

// add adds a range unless ranges that are there share an address with it: then it gives
// the number of the one, or of the first of several.
func (s *spans) add(first, last, number uint32) (other uint32, met bool) {
	span := uint64(first)<<32 | uint64(last)
	if len(s.blocks) == 0 {
		s.firsts, s.blocks = []uint32{first}, []spanBlock{newSpanBlock(spanBlock{[]uint64{span}, []uint32{number}})}
		return 0, false
	}
	// The last block that begins at or in front of first.
	b := max(0, sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > first })-1)
	at, _ := slices.BinarySearch(s.blocks[b].ranges, span)
	if other, met = s.meeting(b, max(0, at-1), first, last); met {
		return other, true
	}
	if block := s.blocks[b]; len(block.ranges) == maxBlock {
		half := newSpanBlock(spanBlock{block.ranges[maxBlock/2:], block.numbers[maxBlock/2:]})
		s.blocks[b] = spanBlock{block.ranges[:maxBlock/2], block.numbers[:maxBlock/2]}
		s.blocks = slices.Insert(s.blocks, b+1, half)
		s.firsts = slices.Insert(s.firsts, b+1, uint32(half.ranges[0]>>32))
		if at > maxBlock/2 {
			b, at = b+1, at-maxBlock/2
		}
	}
	block := &s.blocks[b]
	block.ranges, block.numbers = slices.Insert(block.ranges, at, span), slices.Insert(block.numbers, at, number)
	s.firsts[b] = uint32(block.ranges[0] >> 32)
	return 0, false
}

// meeting gives the number of the range that shares an address with first to last, or
// many, looking from place at of block b on.
func (s *spans) meeting(b, at int, first, last uint32) (number uint32, met bool) {
	for ; b < len(s.blocks); b, at = b+1, 0 {
		for ; at < len(s.blocks[b].ranges); at++ {
			switch r := s.blocks[b].ranges[at]; {
			case uint32(r>>32) > last:
				return number, met
			case uint32(r) < first:
			case met:
				return number | several, true
			default:
				number, met = s.blocks[b].numbers[at], true
			}
		}
	}
	return number, met
}
