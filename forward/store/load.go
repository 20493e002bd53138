package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// loading is the work of opening an object on disk, which may outlive the reader
// that asked for it.
type loading struct {
	s      *Store
	shard  *index.Shard
	id     index.ID
	record *index.Record
	url    []byte
	done   chan struct{}
	left   atomic.Bool // nobody waits for it any more; set once, by either side

	// What came of it: a file, or an object in memory whose pin is the reader's.
	file   *openFile
	first  arena.Page
	object *object
	length int64
	err    error
}

// errOtherURL: another URL has the same key.
var errOtherURL = errors.New("the object was stored under another URL")

// firstRead is how much of a file is read at first: the swap header and most heads.
const firstRead = 8 << 10

// maxHead is the longest head a file is believed to have.
const maxHead = 1 << 20

// Load makes an object on disk that Lookup found ready to be read: it opens and
// checks the file, reads the head, and brings all of it into memory if it is not
// larger than maximum_object_size_in_memory. What is in the page cache needs no
// worker. An error means a miss: ErrSwapFail (TCP_SWAPFAIL_MISS), when the object is
// gone from the index with it, or ErrBusy. There is nothing to do for what is in memory or
// on its way. url is the one given to Lookup.
func (r *Reader) Load(ctx context.Context, url []byte) error {
	if r.memory || r.entry != nil || r.file != nil {
		return nil
	}
	l := &loading{s: r.s, shard: r.shard, id: r.id, record: r.record, url: url}
	err := l.run(true)
	if errors.Is(err, ufs.ErrNotCached) {
		err = l.await(ctx)
	}
	if err != nil {
		return r.s.loadFailed(l, err)
	}
	if l.object != nil {
		r.first, r.object, r.length, r.memory = l.first, l.object, l.length, true
		return nil
	}
	r.file, r.length = l.file, l.length
	return nil
}

// await has a worker do it.
func (l *loading) await(ctx context.Context) error {
	l.url = append([]byte(nil), l.url...) // the reader's may be gone before the worker is
	l.done = make(chan struct{})
	l.shard.Lock()
	l.record.Pins++
	l.shard.Unlock()
	if !l.s.work.read(l.work) {
		l.unpin()
		return ErrBusy
	}
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		if l.left.Swap(true) {
			<-l.done
			l.discard()
		}
		return ctx.Err()
	}
}

func (l *loading) work() {
	l.err = l.run(false)
	if l.left.Swap(true) {
		l.discard()
	}
	close(l.done)
	l.unpin()
}

// discard gives back what nobody waits for.
func (l *loading) discard() {
	if l.file != nil {
		l.file.close()
	}
	if l.object != nil {
		l.shard.Lock()
		l.s.unpinObject(l.first, l.object)
		l.shard.Unlock()
	}
}

func (l *loading) unpin() {
	l.shard.Lock()
	defer l.shard.Unlock()
	l.record.Pins--
	if l.record.Pins == 0 && l.record.Detached() {
		l.s.free(l.shard, l.id, l.record)
	}
}

// firstReads are buffers for what is read of a file at first.
var firstReads = sync.Pool{New: func() any { return new([firstRead]byte) }}

// run does it; with cached it gives ufs.ErrNotCached instead of waiting.
func (l *loading) run(cached bool) error {
	d, number, want, ok := l.find()
	switch {
	case l.object != nil:
		return nil
	case l.file != nil:
		return l.again()
	case !ok:
		return ErrSwapFail
	}
	buf := firstReads.Get().(*[firstRead]byte)
	defer firstReads.Put(buf)
	o, err := d.dir.OpenObject(number, &want, buf[:], cached)
	if err != nil {
		if !errors.Is(err, ufs.ErrMismatch) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ufs.ErrNotCached) {
			l.s.diskError(d, err)
		}
		return err
	}
	d.opened(l.s)
	f := &openFile{d: d, s: l.s, file: o.File, fd: int(o.File.Fd()), size: o.Size, shard: l.shard, id: l.id, readers: 1}
	if !bytes.Equal(keyURL(o.URL, o.StoreURL), l.url) {
		f.close()
		return errOtherURL
	}
	if err := l.read(f, o, cached); err != nil {
		f.close()
		return err
	}
	return nil
}

// again uses a file that was kept open, which was checked when it was opened.
func (l *loading) again() error {
	f := l.file
	err := error(nil)
	switch {
	case !bytes.Equal(keyURL(f.url, f.storeURL), l.url):
		err = errOtherURL
	case !f.sound():
		err = ErrSwapFail
	}
	if err != nil {
		f.close()
		l.file = nil
		return err
	}
	l.length = f.size - f.body
	return nil
}

// find looks where the object is now: it may have come into memory meanwhile.
func (l *loading) find() (d *disk, n ufs.Number, want ufs.Want, ok bool) {
	l.shard.Lock()
	defer l.shard.Unlock()
	rec := l.record
	if rec.Memory != 0 {
		l.first = arena.Page(rec.Memory)
		l.object = l.s.objectAt(l.first)
		l.object.pins++
		l.length = l.object.length
		return nil, 0, want, true
	}
	if l.file = l.s.kept[l.shard.Number()].find(l.id, l.s.now()); l.file != nil {
		return nil, 0, want, true
	}
	slot, number, ok := rec.OnDisk()
	if d = l.s.disks.at(slot); !ok || d == nil || d.failed.Load() {
		return nil, 0, want, false
	}
	return d, ufs.Number(number), ufs.Want{Key: ufs.Key(rec.Key), Size: rec.Size(), Timestamp: Time(rec.Timestamp).Unix()}, true
}

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
	object.length = l.length
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

// loadFailed is what a client is told; an object whose file is not what the index
// says leaves the index.
func (s *Store) loadFailed(l *loading, err error) error {
	switch {
	case errors.Is(err, ErrBusy):
		s.stats.readQueueFull.Add(1)
		return ErrBusy
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	s.stats.swapFails.Add(1)
	l.shard.Lock()
	var gone *Event
	if _, rec := l.shard.Find((*[16]byte)(&l.record.Key)); rec == l.record && !errors.Is(err, errOtherURL) {
		gone = s.remove(l.shard, l.id, rec)
	}
	l.shard.Unlock()
	if gone != nil {
		s.log(gone)
	}
	return ErrSwapFail
}
