package store

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
)

// Refresh gives a whole object another head, which a 304 has brought, and other
// metadata; its Key is the object's, its Vary and Length are not looked at. In
// memory the new head shares the body with the old one, which readers keep that
// have it. The journal gets the metadata, and with update_headers the file is written
// anew in the background. r is pinned to the object and keeps what it has. It is
// false when the object is gone meanwhile, or no page can be had.
func (s *Store) Refresh(r *Reader, h *Head) bool {
	if !r.pinned {
		return false
	}
	var c chain
	if r.memory {
		ok := false
		if c, ok = s.shareBody(r, h.Bytes); !ok {
			return false
		}
	}
	r.shard.Lock()
	rec := r.record
	if rec.Detached() || r.memory && arena.Page(rec.Memory) != r.first {
		r.shard.Unlock()
		if c.first != 0 {
			s.mem.Release(c.first)
		}
		return false
	}
	f := h.Metadata
	f.Refs, f.Flags = rec.Refs, f.Flags|stored
	f.LastRef = Time(rec.LastRef)
	setMetadata(rec, &f)
	if r.memory {
		renewed := s.objectAt(c.first)
		renewed.links, renewed.fromDisk = r.object.links, r.object.fromDisk
		rec.Memory = uint32(c.first)
		r.object.retired = true // r is its reader
	}
	slot, _, onDisk := rec.OnDisk()
	if onDisk {
		s.disks.send(slot, errandAdd, recordOf(rec))
	}
	r.shard.Unlock()
	r.metadata = f
	if onDisk && s.config.Load().UpdateHeaders {
		s.rewriteFile(r, h)
	}
	return true
}

// mostRewrites is how many files are written anew at a time at most; others keep
// the head they have until the next 304.
const mostRewrites = 8

// rewriteFile stores the object of r once more, with another head.
func (s *Store) rewriteFile(r *Reader, h *Head) {
	if s.rewrites.Add(1) > mostRewrites {
		s.rewrites.Add(-1)
		return
	}
	again := *h
	again.Bytes, again.Vary, again.Metadata = append([]byte(nil), h.Bytes...), r.Vary(nil), r.metadata
	o := Opening{Key: h.Key, Method: http1.GET, FromDisk: r.FromDisk()}
	switch {
	case r.memory:
		o.URL, o.StoreURL = s.text(nil, r.first, 0), s.text(nil, r.first, 1)
	default:
		o.URL, o.StoreURL = append([]byte(nil), r.file.url...), append([]byte(nil), r.file.storeURL...)
	}
	s.background.Add(1)
	go func() {
		defer s.background.Done()
		defer s.rewrites.Add(-1)
		var from Reader
		if s.Lookup(s.now(), h.Key, o.keyURL(), &from) != Hit {
			return
		}
		defer from.Close()
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go func() {
			select {
			case <-s.closing:
				stop()
			case <-ctx.Done():
			}
		}()
		if from.Load(ctx, o.keyURL()) == nil && from.metadata.Timestamp == again.Timestamp {
			s.storeAgain(ctx, &from, o, &again)
		}
	}()
}

// storeAgain stores the body of from under another head.
func (s *Store) storeAgain(ctx context.Context, from *Reader, o Opening, h *Head) {
	h.Length = from.Length()
	e := s.Begin(o, nil, nil)
	if !e.Publish(h) {
		e.Abort(nil)
		return
	}
	buf := make([]byte, 64<<10)
	for {
		if err := e.Pace(ctx); err != nil {
			e.Abort(err)
			return
		}
		span, err := from.Next(ctx, int64(len(buf)))
		if err == nil && span.Length == 0 {
			e.Complete()
			return
		}
		if err == nil && span.File {
			var n int
			n, err = unix.Pread(span.FD, buf[:span.Length], span.Offset)
			span.Pieces, span.Length = [][]byte{buf[:max(n, 0)]}, int64(max(n, 0))
			if n == 0 && err == nil {
				err = ErrSwapFail
			}
		}
		if err != nil {
			e.Abort(err)
			return
		}
		for _, piece := range span.Pieces {
			e.Append(piece)
		}
		from.Advance(span.Length)
	}
}

// shareBody makes an object with another head and the body of r's.
func (s *Store) shareBody(r *Reader, head []byte) (c chain, ok bool) {
	var texts [3][]byte
	for i := range texts {
		texts[i] = s.text(nil, r.first, i)
	}
	c, ok = s.newObject(s.page, texts, head)
	if !ok {
		return c, false
	}
	o := s.objectAt(c.first)
	o.body, o.length = r.object.body, r.object.length
	s.mem.Share(o.body.page)
	s.mem.Link(c.last, o.body.page)
	return c, true
}
