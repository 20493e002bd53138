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
	var gone Line
	if _, rec := l.shard.Find((*[16]byte)(&l.record.Key)); rec == l.record && !errors.Is(err, errOtherURL) {
		gone = s.remove(l.shard, l.id, rec, false)
	}
	l.shard.Unlock()
	waitFor(gone)
	return ErrSwapFail
}
