package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Rule 3: readers behind memory read from the file that is being written; one that
// stands still does not pace the fetch.
func TestReadersBehindMemoryReadFromDisk(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory = 16 << 10
	c.Memory, c.Backlog = 1<<20, 64<<20 // however slow the disk is
	s := rebuilt(t, open(t, c))
	d := docOf(1, 3<<20)
	var own, slow Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(len(d.body)))
	e.Put()
	if found := s.find(d, &slow); found != Joined {
		t.Fatalf("found %d", found)
	}
	head, err := slow.read(t.Context(), 0)
	if len(head) != 0 || !errors.Is(err, errMore) {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := d.fetch(e, 32<<10); err != nil {
			t.Error(err)
		}
	})
	own.readAll(t, d)
	own.Close()
	all.Wait() // and the slow one has not read a byte
	slow.readAll(t, d)
	eventually(t, "it is on disk", func() bool { return s.Stats().Objects == 1 })
	slow.Close()
	if st := s.Stats(); st.MemoryPages != 0 || st.InMemory != 0 || st.Dirs[0].Objects != 1 {
		t.Errorf("%+v", st)
	}
	var r Reader
	if found := s.find(d, &r); found != Hit {
		t.Fatalf("found %d", found)
	}
	r.readAll(t, d)
	r.Close()
}

// Who comes late joins at byte 0, from disk where memory has gone on.
func TestJoiningLate(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Backlog = 16<<10, 64<<20
	s := rebuilt(t, open(t, c))
	d := docOf(1, 2<<20)
	var own Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	e.Put()
	e.Own()
	var all sync.WaitGroup
	for at := 0; at < len(d.body); at += 64 << 10 {
		if err := e.Pace(t.Context()); err != nil {
			t.Fatal(err)
		}
		e.Append(d.body[at : at+64<<10])
		if got, err := own.read(t.Context(), 64<<10); !errors.Is(err, errMore) || !bytes.Equal(got, d.body[at:at+64<<10]) {
			t.Fatalf("at %d: %d bytes, %v", at, len(got), err)
		}
		if at%(512<<10) == 0 {
			var late Reader
			if found := s.find(d, &late); found != Joined {
				t.Errorf("at %d: found %d", at, found)
				continue
			}
			all.Go(func() { late.readAll(t, d); late.Close() })
		}
	}
	e.Complete()
	all.Wait()
	own.Close()
}

// A write that is given up while readers are behind memory: they read what is in the file,
// then what comes, and the slowest paces.
func TestWritingIsGivenUpUnderItsReaders(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Backlog = 16<<10, 64<<20
	s := rebuilt(t, open(t, c))
	for round := range 10 {
		d := docOf(round, 1<<20)
		var own, behind Reader
		e := s.Begin(d.opening(), &filler{}, &own)
		e.Publish(d.published(len(d.body)))
		e.Put()
		if found := s.find(d, &behind); found != Joined {
			t.Fatalf("found %d", found)
		}
		var all sync.WaitGroup
		all.Go(func() {
			if err := d.fetch(e, 16<<10); err != nil {
				t.Error(err)
			}
		})
		got, err := own.read(t.Context(), 100_000*(1+round))
		if err != nil && !errors.Is(err, errMore) {
			t.Fatal(err)
		}
		s.Purge(d.key)
		all.Go(func() { behind.readAll(t, d); behind.Close() })
		more, err := own.read(t.Context(), len(d.body))
		if got = append(got, more...); err != nil || !bytes.Equal(got, d.body) {
			t.Errorf("round %d: %d bytes, %v", round, len(got), err)
		}
		own.Close()
		all.Wait()
	}
	eventually(t, "nothing is left", func() bool {
		st := s.Stats()
		return st.MemoryPages == 0 && st.OpenFiles == 0 && filesIn(t, c.Dirs[0].Path) == 0
	})
}

// faulty is a directory whose disk fails when it is told to.
type faulty struct {
	*ufs.Dir
	mu     sync.Mutex
	create error         // what Create gives
	hold   chan struct{} // Create waits for it
	open   error         // what OpenObject gives
}

func (f *faulty) Create(n ufs.Number, m *ufs.Meta) (*os.File, int64, error) {
	f.mu.Lock()
	err, hold := f.create, f.hold
	f.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if err != nil {
		return nil, 0, &os.PathError{Op: "create", Path: "x", Err: err}
	}
	return f.Dir.Create(n, m)
}

func (f *faulty) OpenObject(n ufs.Number, w *ufs.Want, b []byte, cached bool) (*ufs.Object, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open != nil {
		return nil, &os.PathError{Op: "open", Path: "x", Err: f.open}
	}
	return f.Dir.OpenObject(n, w, b, cached)
}

func (f *faulty) fail(create, open error) {
	f.mu.Lock()
	f.create, f.open = create, open
	f.mu.Unlock()
}

// withFaulty is a store with one directory that can fail, and what it reports.
func withFaulty(t *testing.T) (Config, *faulty, chan Notice) {
	c := withDisk(t)
	f := &faulty{}
	sound := c.Dirs[0].Open
	c.Dirs[0].Open = func() (Directory, error) {
		d, err := sound()
		if err == nil {
			f.Dir = d.(*ufs.Dir)
		}
		return f, err
	}
	notices := make(chan Notice, 100)
	c.Report = func(n Notice) {
		if n.Err != nil {
			notices <- n
		}
	}
	return c, f, notices
}

// Rule 7: a directory that fails is reported once and taken out; what is in memory
// stays, everything else is a miss, and serving goes on.
func TestAFailingDiskIsTakenOut(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.EROFS, syscall.EACCES} {
		c, f, notices := withFaulty(t)
		s := rebuilt(t, open(t, c))
		small, large := docOf(1, 1000), docOf(2, 500_000)
		s.put(t, small)
		s.put(t, large)
		f.fail(errno, nil)
		for n := range 20 {
			s.put(t, docOf(10+n, 1000))
		}
		n := <-notices
		if !errors.Is(n.Err, errno) || !n.TakenOut || n.Path != c.Dirs[0].Path {
			t.Errorf("reported %+v", n)
		}
		eventually(t, "what was on disk alone has left the index", func() bool { return s.Stats().Objects == 21 })
		var r Reader
		if found := s.find(small, &r); found != Hit {
			t.Errorf("found %d in memory", found)
		}
		r.readAll(t, small)
		r.Close()
		if found := s.find(large, &r); found != Miss {
			t.Errorf("found %d on a disk that is gone", found)
		}
		if len(notices) != 0 || !s.Stats().Dirs[0].TakenOut {
			t.Errorf("reported again: %+v", <-notices)
		}
		f.fail(nil, nil)
		if err := s.Reconfigure(c); err != nil {
			t.Fatal(err)
		}
		rebuilt(t, s)
		s.put(t, docOf(100, 1000))
		eventually(t, "the disk is used again", func() bool {
			st := s.Stats()
			return len(st.Dirs) == 1 && !st.Dirs[0].TakenOut && st.Dirs[0].Objects > 0
		})
	}
}

// A directory whose file system is full serves what it has and makes do with that much
// room, as in 2.6, until it is configured anew. One that has nothing is taken out.
func TestAFullDiskShrinks(t *testing.T) {
	c, f, notices := withFaulty(t)
	c.MaxInMemory, c.Memory = 1000, 256<<10
	s := rebuilt(t, open(t, c))
	const size = 100_000
	for n := range 20 {
		s.put(t, docOf(n, size))
	}
	held := s.Stats().Dirs[0].Size
	f.fail(syscall.ENOSPC, nil)
	for n := range 5 {
		s.put(t, docOf(100+n, size))
	}
	if n := <-notices; !errors.Is(n.Err, syscall.ENOSPC) || n.TakenOut || n.Shrunk <= 0 || n.Shrunk > held || len(notices) != 0 {
		t.Errorf("reported %+v, and %d more", n, len(notices))
	}
	f.fail(nil, nil)
	room := s.Stats().Dirs[0].MaxSize
	if room > held || room < held/2 {
		t.Errorf("%d bytes of room, %d were held", room, held)
	}
	hits := 0
	for n := range 20 {
		if _, disk := s.holds(t, docOf(n, size)); disk {
			hits++
		}
	}
	if hits < 10 {
		t.Errorf("%d hits of 20", hits)
	}
	eventually(t, "there is room again", func() bool {
		d := docOf(200, size)
		s.put(t, d)
		_, disk := s.holds(t, d)
		return disk
	})
	for n := range 40 {
		s.put(t, docOf(300+n, size))
	}
	eventually(t, "it stays that small", func() bool { return s.Stats().Dirs[0].Size <= room })
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats().Dirs[0].MaxSize; got != c.Dirs[0].Size {
		t.Errorf("%d bytes of room after a reconfigure", got)
	}
}

func TestAFullDiskWithoutObjectsIsTakenOut(t *testing.T) {
	c, f, notices := withFaulty(t)
	s := rebuilt(t, open(t, c))
	f.fail(syscall.ENOSPC, nil)
	s.put(t, docOf(1, 1000))
	if n := <-notices; !n.TakenOut {
		t.Errorf("reported %+v", n)
	}
	f.fail(nil, nil)
}

// An object whose file is gone, cut, or unreadable is a miss, once, and never a cut
// answer.
func TestAFileThatIsNotWhatTheIndexSays(t *testing.T) {
	c, f, notices := withFaulty(t)
	c.MaxInMemory = 1000
	s := rebuilt(t, open(t, c))
	damage := []func(path string) error{
		os.Remove,
		func(p string) error { return os.Truncate(p, 100_000) },
		func(p string) error { return os.Truncate(p, 0) },
		func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("noise"), 50_000), 0o644) },
	}
	for n, harm := range damage {
		d := docOf(n, 200_000)
		s.put(t, d)
		files := objectFiles(t, c.Dirs[0].Path)
		if len(files) != 1 {
			t.Fatalf("files %v", files)
		}
		if err := harm(files[0]); err != nil {
			t.Fatal(err)
		}
		var r Reader
		if found := s.find(d, &r); found != Hit {
			t.Fatalf("found %d", found)
		}
		if err := r.Load(t.Context(), d.url); !errors.Is(err, ErrSwapFail) {
			t.Errorf("harm %d: %v", n, err)
		}
		r.Close()
		if found := s.find(d, &r); found != Miss {
			t.Errorf("harm %d: found %d again", n, found)
		}
		eventually(t, "the file is gone", func() bool { return filesIn(t, c.Dirs[0].Path) == 0 })
	}
	if st := s.Stats(); st.SwapFails != int64(len(damage)) || len(notices) != 0 {
		t.Errorf("%+v", st)
	}
	d := docOf(99, 200_000)
	s.put(t, d)
	f.fail(nil, syscall.EIO)
	var r Reader
	s.find(d, &r)
	if err := r.Load(t.Context(), d.url); !errors.Is(err, ErrSwapFail) {
		t.Error(err)
	}
	r.Close()
	if n := <-notices; !n.TakenOut {
		t.Errorf("%+v", n)
	}
}

// Rule 7: nobody waits for a slow disk: what does not fit into the queue is not
// stored there, and counted.
func TestNobodyWaitsForASlowDisk(t *testing.T) {
	c, f, _ := withFaulty(t)
	c.Workers, c.Queue, c.Backlog = 1, 2, 128<<10
	c.MaxInMemory = 50_000
	f.hold = make(chan struct{})
	s := rebuilt(t, open(t, c))
	large := docOf(1, 2<<20)
	var own Reader
	e := s.Begin(large.opening(), &filler{}, &own)
	e.Publish(large.published(len(large.body)))
	e.Put()
	var all sync.WaitGroup
	all.Go(func() {
		if err := large.fetch(e, 32<<10); err != nil {
			t.Error(err)
		}
	})
	own.readAll(t, large) // although nothing of it could be written
	own.Close()
	all.Wait()
	for n := range 20 {
		d := docOf(10+n, 40_000)
		e := s.Begin(d.opening(), &filler{}, nil)
		e.Publish(d.published(len(d.body)))
		e.Append(d.body)
		e.Complete()
		var r Reader
		if found := s.find(d, &r); found == Miss {
			t.Errorf("object %d: found %d while it waits for the disk", n, found)
		}
		r.readAll(t, d)
		r.Close()
	}
	if st := s.Stats(); st.SlowDisk != 1 || st.WriteQueueFull < 15 {
		t.Errorf("%+v", st)
	}
	f.mu.Lock()
	close(f.hold)
	f.hold = nil
	f.mu.Unlock()
	eventually(t, "all have settled", func() bool { return s.Stats().Objects == 20 })
}

// A client that leaves while a worker opens the file leaves nothing behind.
func TestLeavingDuringALoad(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory = 100_000
	s := rebuilt(t, open(t, c))
	for n := range 60 {
		d := docOf(n, n*4000)
		s.put(t, d)
		s.mem.SetLimit(0)
		s.shrink(0)
		s.mem.SetLimit(4 << 20)
		var r Reader
		if found := s.find(d, &r); found != Hit {
			t.Fatalf("found %d", found)
		}
		// As Load does for a file that is not in the page cache.
		l := &loading{s: s, shard: r.shard, id: r.id, record: r.record, url: d.url}
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		err := l.await(ctx)
		switch {
		case err == nil && l.object != nil:
			r.first, r.object, r.length, r.memory = l.first, l.object, l.length, true
		case err == nil:
			r.file, r.length = l.file, l.length
		case !errors.Is(err, context.Canceled):
			t.Fatal(err)
		}
		r.Close()
	}
	eventually(t, "all files are closed", func() bool { return s.Stats().OpenFiles == 0 })
}
