package store

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
)

// Put stores an object that is whole and that nobody can have waited for: what Begin,
// Publish, Append and Complete do, at a quarter of the cost, where memory alone takes it.
// What had the same key is gone with that, whether the object is kept or not. The store
// copies the slices.
func (s *Store) Put(o *Opening, h *Head, body []byte) {
	c := s.config.Load()
	if len(c.Dirs) > 0 {
		s.putThrough(o, h, body)
		return
	}
	s.stats.begun.Add(1)
	var first arena.Page
	if c.keeps(h) && h.Length <= c.MaxInMemory {
		first = s.wholeObject(o, h, body)
	}
	kept := first != 0
	sh := s.ix.Shard((*[16]byte)(&h.Key))
	sh.Lock()
	s.supersede(sh, h.Key, kept)
	id, rec := sh.Find((*[16]byte)(&h.Key))
	var gone Line
	if rec != nil {
		gone = s.remove(sh, id, rec, kept)
	}
	if kept {
		id, rec = sh.Insert((*[16]byte)(&h.Key))
		if kept = rec != nil; kept {
			now := s.now()
			h.Metadata.enter(now)
			setMetadata(rec, &h.Metadata)
			rec.SetSize(int64(len(h.Bytes) + len(body)))
			rec.Memory = uint32(first)
			s.memoryOrder.Load().Add(sh, id, now)
		}
	}
	line := s.logPut(o, h, body, kept)
	sh.Unlock()
	waitFor(gone)
	waitFor(line)
	if kept {
		s.stats.stored.Add(1)
	} else if first != 0 {
		s.mem.Release(first)
	}
}

// logPut puts down what has become of an object that is whole at once.
func (s *Store) logPut(o *Opening, h *Head, body []byte, kept bool) Line {
	if !s.logs() || kept && h.Flags&Negative != 0 {
		return nil
	}
	event := Event{Action: SwapOutFailed, Dir: -1, Key: h.Key, Head: h.Bytes, Length: int64(len(body)), Method: o.methodText(), URL: o.shown()}
	if !kept {
		event.Action, event.Key = Released, RandomKey()
	}
	return s.log(&event)
}

// putThrough stores it as an entry, which is written to a directory as others are.
func (s *Store) putThrough(o *Opening, h *Head, body []byte) {
	own := *o
	own.URL, own.StoreURL, own.Asked = bytes.Clone(o.URL), bytes.Clone(o.StoreURL), bytes.Clone(o.Asked)
	head := *h
	head.Vary = bytes.Clone(h.Vary)
	e := s.Begin(own, there{}, nil)
	e.Publish(&head)
	e.Append(body)
	e.Complete()
}

// wholeObject puts an object into pages; 0 when there are none.
func (s *Store) wholeObject(o *Opening, h *Head, body []byte) arena.Page {
	pages, ok := s.newObject(s.page, [3][]byte{o.URL, o.StoreURL, h.Vary}, h.Bytes)
	if !ok {
		return 0
	}
	if !pages.write(s.mem, s.page, body) {
		s.mem.Release(pages.first)
		return 0
	}
	s.objectAt(pages.first).length = int64(len(body))
	return pages.first
}

// there is the Filler of what is whole at once.
type there struct{}

// Fill implements Filler.
func (there) Fill() {}

// Wake implements Filler.
func (there) Wake() {}

// Stop implements Filler.
func (there) Stop() {}
