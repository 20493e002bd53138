package dns

import (
	"math"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// lru is a map whose entries are kept in the order of their last use. The caller
// holds a lock of its own. K is a canonical name or an address.
type lru[K comparable, V any] struct{ *simplelru.LRU[K, *V] }

// newLRU makes one that drops nothing by itself: bounds are its user's.
func newLRU[K comparable, V any]() lru[K, V] {
	l, err := simplelru.NewLRU[K, *V](math.MaxInt32, nil)
	if err != nil {
		panic(err) // the size is positive
	}
	return lru[K, V]{l}
}

// shrink drops the oldest entries until n are left. dropped may be nil.
func (l lru[K, V]) shrink(n int, dropped func(*V)) {
	for l.Len() > n {
		if _, v, _ := l.RemoveOldest(); dropped != nil {
			dropped(v)
		}
	}
}
