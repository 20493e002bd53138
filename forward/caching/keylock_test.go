package caching

import (
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/store"
)

// One at a time under each key, nobody waits for another key, and nothing is left.
func TestKeyLocks(t *testing.T) {
	var k keyLocks
	counts := make([]int, 4)
	var all sync.WaitGroup
	for i := range 400 {
		all.Go(func() {
			defer k.lock(store.Key{byte(i % 4)})()
			counts[i%4]++ // the race detector looks
		})
	}
	all.Wait()
	for i, n := range counts {
		if n != 100 {
			t.Errorf("key %d: %d", i, n)
		}
	}
	first := k.lock(store.Key{1})
	k.lock(store.Key{2})()
	if len(k.held) != 1 {
		t.Errorf("%d locks are held", len(k.held))
	}
	first()
	if len(k.held) != 0 {
		t.Errorf("%d locks are left", len(k.held))
	}
}
