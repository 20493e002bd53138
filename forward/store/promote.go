package store

import (
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// read finds the head and reads a small object whole.
func (l *loading) read(f *openFile, o *ufs.Object, cached bool) error {
	size := o.Size - o.HeadOffset
	first := o.First
	for headEnd(first) == 0 {
		if int64(len(first)) >= size || len(first) >= maxHead {
			return ErrSwapFail
		}
		longer := make([]byte, min(size, int64(max(2*len(first), firstRead))))
		if err := readAt(f.file, longer, o.HeadOffset, cached); err != nil {
			return err
		}
		first = longer
	}
	end := headEnd(first)
	f.head, f.body, l.length = first[:end:end], o.HeadOffset+int64(end), size-int64(end)
	if l.length > l.s.config.Load().MaxInMemory {
		l.keep(f, o)
		return nil
	}
	return l.promote(f, o, first[end:], cached)
}

// promote brings the object into memory. Without pages it is read from the file.
func (l *loading) promote(f *openFile, o *ufs.Object, body []byte, cached bool) error {
	s := l.s
	c, ok := s.newObject(s.page, [3][]byte{o.URL, o.StoreURL, o.VaryHeaders}, f.head)
	if !ok {
		l.keep(f, o)
		return nil
	}
	body = body[:min(int64(len(body)), l.length)]
	pages, ok := c.takes(s, l.length)
	if !ok {
		s.mem.Release(c.first)
		l.keep(f, o)
		return nil
	}
	at := f.body
	for _, page := range pages {
		n := copy(page, body)
		body = body[n:]
		if n < len(page) {
			if err := readAt(f.file, page[n:], at+int64(n), cached); err != nil {
				s.mem.Release(c.first)
				return err
			}
		}
		at += int64(len(page))
	}
	object := s.objectAt(c.first)
	object.length, object.fromDisk = l.length, true
	l.enter(c.first, object)
	f.close()
	s.stats.swapIns.Add(1)
	return nil
}

// keep makes the file the reader's, and has it stay open for the next one.
func (l *loading) keep(f *openFile, o *ufs.Object) {
	// One piece of memory of their own: head and texts view a buffer so far.
	all := make([]byte, 0, len(f.head)+len(o.VaryHeaders)+len(o.URL)+len(o.StoreURL))
	own := func(b []byte) []byte {
		all = append(all, b...)
		return all[len(all)-len(b) : len(all) : len(all)]
	}
	f.head, f.vary, f.url, f.storeURL = own(f.head), own(o.VaryHeaders), own(o.URL), own(o.StoreURL)
	l.file = f
	most := l.s.config.Load().KeptFiles / index.Shards
	l.shard.Lock()
	var out *openFile
	if !l.record.Detached() {
		out = l.s.kept[l.shard.Number()].keep(f, most, l.s.now())
	}
	l.shard.Unlock()
	out.shut()
}

// takes adds pages for n bytes and gives the room for them.
func (c *chain) takes(s *Store, n int64) (room [][]byte, ok bool) {
	for n > 0 {
		if c.at == arena.PageSize {
			p, ok := s.page()
			if !ok {
				return nil, false
			}
			c.add(s.mem, p)
		}
		part := int(min(n, int64(arena.PageSize-c.at)))
		room = append(room, s.mem.Bytes(c.last)[c.at:c.at+part])
		c.at += part
		n -= int64(part)
	}
	return room, true
}

// enter makes the object in memory that of the record, unless another was quicker;
// either is pinned for the reader.
func (l *loading) enter(first arena.Page, object *object) {
	l.shard.Lock()
	defer l.shard.Unlock()
	rec := l.record
	switch {
	case rec.Detached():
		object.retired = true // this reader is its only one
	case rec.Memory != 0:
		l.s.mem.Release(first)
		first = arena.Page(rec.Memory)
		object = l.s.objectAt(first)
	default:
		rec.Memory = uint32(first)
		l.s.memoryOrder.Load().Add(l.shard, l.id, l.s.now())
	}
	object.pins++
	l.first, l.object = first, object
}
