package store

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// Glance tells what is known of what is stored under a key without using it, for
// neighbours that ask: a whole object, or one on its way that could be joined. url
// is the one the key was made of; of an object on disk alone it is not compared,
// which would need the disk.
func (s *Store) Glance(key Key, url []byte) (Metadata, bool) {
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	defer sh.Unlock()
	if e := s.live[sh.Number()][key]; e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.joinable() == Joined && bytes.Equal(e.opening.keyURL(), url) {
			return e.metadata, true
		}
		return Metadata{}, false
	}
	_, rec := sh.Find((*[16]byte)(&key))
	if rec == nil {
		return Metadata{}, false
	}
	if first := arena.Page(rec.Memory); first != 0 && !s.sameURL(first, s.objectAt(first), url) {
		return Metadata{}, false
	}
	return metadataOf(rec), true
}

// Passed is an object a Walk passes.
type Passed struct {
	Key      Key
	Metadata Metadata

	s     *Store
	first arena.Page
}

// URL is the one it was stored under, a view or a copy in buf's storage; nil when it
// is not in memory.
func (p *Passed) URL(buf []byte) []byte {
	if p.first == 0 {
		return nil
	}
	if end := objectSize + int(p.s.objectAt(p.first).texts[0]); end <= arena.PageSize {
		return p.s.mem.Bytes(p.first)[objectSize:end:end]
	}
	return p.s.text(buf[:0], p.first, 0)
}

// stride is how many records are passed under one lock: some 20 us with a rule looked
// up for each.
const stride = 256

// Walk visits the objects of the index from a position on, 0 for the first, until
// visit says no more, and gives the position to go on from, 0 when it has passed them
// all. An object that is there all the while is visited once, one that comes or goes at
// most once. What visit is given is valid until it returns; it must not call the store.
func (s *Store) Walk(position uint64, visit func(*Passed) bool) (next uint64) {
	var p Passed
	p.s = s
	pass := func(_ index.ID, rec *index.Record) bool {
		p.Key, p.Metadata, p.first = rec.Key, metadataOf(rec), arena.Page(rec.Memory)
		return visit(&p)
	}
	shard, place := int(position>>32), int(uint32(position))
	for shard < index.Shards {
		sh := s.ix.At(shard)
		sh.Lock()
		after, more := sh.From(place, stride, pass)
		sh.Unlock()
		if place = after; place == 0 {
			shard++
		}
		if !more && shard < index.Shards {
			return uint64(shard)<<32 | uint64(place)
		}
	}
	return 0
}
