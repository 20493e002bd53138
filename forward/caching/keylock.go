package caching

import (
	"sync"

	"github.com/cuttle-proxy/cuttle/forward/store"
)

// keyLocks lets those who change what is stored under the same key do it one after
// another, and nobody else wait. The zero value is ready.
type keyLocks struct {
	mu   sync.Mutex
	held map[store.Key]*keyLock
}

type keyLock struct {
	sync.Mutex
	users int // that have it or wait for it
}

// lock waits until the key is the caller's, who calls unlock in the end.
func (k *keyLocks) lock(key store.Key) (unlock func()) {
	k.mu.Lock()
	l := k.held[key]
	if l == nil {
		if k.held == nil {
			k.held = map[store.Key]*keyLock{}
		}
		l = &keyLock{}
		k.held[key] = l
	}
	l.users++
	k.mu.Unlock()
	l.Lock()
	return func() {
		l.Unlock()
		k.mu.Lock()
		if l.users--; l.users == 0 {
			delete(k.held, key)
		}
		k.mu.Unlock()
	}
}
