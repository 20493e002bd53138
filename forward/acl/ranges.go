package acl

import "slices"

// ranges is a set of IPv4 addresses as ranges in order, eight bytes each: a list of a
// million addresses is one piece of memory that holds no pointer.
type ranges struct {
	// list has the first address of a range in the upper and the last in the lower half.
	list []uint64
	// starts is, by the upper half of an address, the first range that ends there or
	// later; only for long lists.
	starts []uint32
}

// longRanges is from where on the table of starts pays.
const longRanges = 256

// put adds a range; order makes the set ready.
func (r *ranges) put(first, last uint32) { r.list = append(r.list, uint64(first)<<32|uint64(last)) }

// order sorts the ranges and joins those that meet.
func (r *ranges) order() {
	slices.Sort(r.list)
	kept := r.list[:0]
	for _, x := range r.list {
		if n := len(kept); n > 0 && x>>32 <= kept[n-1]&0xffffffff+1 {
			kept[n-1] = max(kept[n-1]&0xffffffff, x&0xffffffff) | kept[n-1]>>32<<32
			continue
		}
		kept = append(kept, x)
	}
	r.list = slices.Clip(kept)
	if len(r.list) < longRanges {
		return
	}
	r.starts = make([]uint32, 1<<16+1)
	next := 0
	for i := range r.starts {
		for next < len(r.list) && uint32(r.list[next])>>16 < uint32(i) {
			next++
		}
		r.starts[i] = uint32(next)
	}
}

// has reports whether an address is in the set.
func (r *ranges) has(a uint32) bool {
	low, high := 0, len(r.list)
	if r.starts != nil {
		low, high = int(r.starts[a>>16]), min(int(r.starts[a>>16+1])+1, high)
	}
	// The first range that ends at a or behind it.
	for low < high {
		if mid := int(uint(low+high) >> 1); uint32(r.list[mid]) < a {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low < len(r.list) && uint32(r.list[low]>>32) <= a
}
