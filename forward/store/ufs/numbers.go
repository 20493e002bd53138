package ufs

import (
	"math/bits"
	"sync"
)

// numbers are the file numbers in use: a bitmap, of which the lowest free one
// is handed out, so that folders fill one after the other as 2.6 fills them.
type numbers struct {
	mu    sync.Mutex
	words []uint64
	first int // no word below has a free bit
	count int
}

// take marks n as in use. It reports whether it was free.
func (s *numbers) take(n Number) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	word, bit := int(n)/64, uint64(1)<<(n%64)
	for word >= len(s.words) {
		s.words = append(s.words, 0)
	}
	if s.words[word]&bit != 0 {
		return false
	}
	s.words[word] |= bit
	s.count++
	return true
}

// allocate hands out the lowest free number; false when there is none.
func (s *numbers) allocate() (Number, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.first < len(s.words); s.first++ {
		if free := ^s.words[s.first]; free != 0 {
			bit := bits.TrailingZeros64(free)
			s.words[s.first] |= 1 << bit
			s.count++
			return Number(s.first*64 + bit), true
		}
	}
	if len(s.words) >= maxNumbers/64 {
		return 0, false
	}
	s.words = append(s.words, 1)
	s.count++
	return Number(s.first * 64), true
}

// free gives n back.
func (s *numbers) free(n Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	word, bit := int(n)/64, uint64(1)<<(n%64)
	if word >= len(s.words) || s.words[word]&bit == 0 {
		return
	}
	s.words[word] &^= bit
	s.first = min(s.first, word)
	s.count--
}

// has reports whether n is in use.
func (s *numbers) has(n Number) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	word := int(n) / 64
	return word < len(s.words) && s.words[word]&(1<<(n%64)) != 0
}

func (s *numbers) used() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}
