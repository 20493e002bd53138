package caching

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// knownKeys remembers the keys of URLs of what was found in memory: a digest takes a
// twentieth of the instructions of a hit.
type knownKeys [knownPlaces]atomic.Pointer[knownKey]

// knownKey is one of them, never changed.
type knownKey struct {
	key    store.Key
	method http1.Method
	url    []byte

	passed atomic.Uint32 // see knownHead
}

// urlSeed makes hashes nobody outside can choose.
var urlSeed = maphash.MakeSeed()

func (k *knownKeys) place(url []byte) *atomic.Pointer[knownKey] {
	return &k[maphash.Bytes(urlSeed, url)%knownPlaces]
}

// key gives the key of a URL, if it is known.
func (k *Known) key(method http1.Method, url []byte, group string) (store.Key, bool) {
	if k == nil || group != "" {
		return store.Key{}, false
	}
	h := k.keys.place(url).Load()
	if h == nil || h.method != method || !bytes.Equal(h.url, url) {
		return store.Key{}, false
	}
	if h.passed.Load() > 0 { // seldom: others read this
		h.passed.Store(0)
	}
	return h.key, true
}

// rememberKey keeps a key that was not known.
func (k *Known) rememberKey(key store.Key, method http1.Method, url []byte, group string) {
	if k == nil || group != "" || len(url) > longestKnown {
		return
	}
	place := k.keys.place(url)
	old := place.Load()
	if old != nil && old.passed.Add(1) < knownPatience {
		return
	}
	place.CompareAndSwap(old, &knownKey{key: key, method: method, url: bytes.Clone(url)})
}
