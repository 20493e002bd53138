package conf

import "math/bits"

// underneath knows of domains, by their hashes, the first value that lies in them, and
// whether there are others, in tables without pointers.
type underneath struct {
	hashes []uint64 // 0 for a free place
	values []uint32 // the number of the value; with several, of the first
	n      int
	last   int // place of the one added last: lists come in runs
}

// several is added to the number of the first of more than one.
const several = 1 << 31

// of gives the number of the value in a domain; ok is false when there is none.
func (u *underneath) of(h uint64) (value uint32, ok bool) {
	if len(u.hashes) == 0 {
		return 0, false
	}
	h |= 1
	for at := u.slot(h); u.hashes[at] != 0; at = (at + 1) & (len(u.hashes) - 1) {
		if u.hashes[at] == h {
			return u.values[at], true
		}
	}
	return 0, false
}

func (u *underneath) add(h uint64, value uint32) {
	h |= 1
	if u.n > 0 && u.hashes[u.last] == h {
		if u.values[u.last] != value {
			u.values[u.last] |= several
		}
		return
	}
	if 4*(u.n+1) > 3*len(u.hashes) {
		hashes, values := u.hashes, u.values
		size := max(16, 2*len(hashes))
		u.hashes, u.values, u.n = make([]uint64, size), make([]uint32, size), 0
		for i, h := range hashes {
			if h != 0 {
				u.put(h, values[i])
			}
		}
	}
	u.put(h, value)
}

func (u *underneath) put(h uint64, value uint32) {
	at := u.slot(h)
	for u.hashes[at] != 0 && u.hashes[at] != h {
		at = (at + 1) & (len(u.hashes) - 1)
	}
	switch {
	case u.hashes[at] == 0:
		u.hashes[at], u.values[at] = h, value
		u.n++
	case u.values[at] != value:
		u.values[at] |= several
	}
	u.last = at
}

func (u *underneath) slot(h uint64) int {
	return int((h>>32 ^ h>>11) & uint64(len(u.hashes)-1))
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
