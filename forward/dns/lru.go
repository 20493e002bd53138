package dns

// lru is a map whose entries are kept in the order of their last use. The
// caller holds a lock of its own. K is a canonical name or an address.
type lru[K comparable, V any] struct {
	entries map[K]*lruEntry[K, V]
	root    lruEntry[K, V] // ring: root.next is the latest, root.prev the oldest
}

type lruEntry[K comparable, V any] struct {
	key        K
	value      V
	prev, next *lruEntry[K, V]
}

func (l *lru[K, V]) init() {
	l.entries = make(map[K]*lruEntry[K, V])
	l.root.prev, l.root.next = &l.root, &l.root
}

// get finds an entry and makes it the latest used; nil when there is none.
func (l *lru[K, V]) get(key K) *V {
	e := l.entries[key]
	if e == nil {
		return nil
	}
	e.unlink()
	l.pushFront(e)
	return &e.value
}

// peek is get without touching the order.
func (l *lru[K, V]) peek(key K) *V {
	if e := l.entries[key]; e != nil {
		return &e.value
	}
	return nil
}

// put replaces or adds an entry as the latest used. It keeps key, which must
// not share memory with a buffer.
func (l *lru[K, V]) put(key K, value V) *V {
	if have := l.get(key); have != nil {
		*have = value
		return have
	}
	e := &lruEntry[K, V]{key: key, value: value}
	l.entries[key] = e
	l.pushFront(e)
	return &e.value
}

// shrink drops the oldest entries until n are left. dropped may be nil.
func (l *lru[K, V]) shrink(n int, dropped func(*V)) {
	for len(l.entries) > n {
		e := l.root.prev
		e.unlink()
		delete(l.entries, e.key)
		if dropped != nil {
			dropped(&e.value)
		}
	}
}

// all calls f for each entry, latest used first.
func (l *lru[K, V]) all(f func(K, *V)) {
	for e := l.root.next; e != &l.root; e = e.next {
		f(e.key, &e.value)
	}
}

func (l *lru[K, V]) pushFront(e *lruEntry[K, V]) {
	e.prev, e.next = &l.root, l.root.next
	e.prev.next, e.next.prev = e, e
}

func (e *lruEntry[K, V]) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
