package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// fetch brings a body in pieces as an origin's fetch of its own would, and reports
// how it ended.
func (d *doc) fetch(e *Entry, piece int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for at := 0; at < len(d.body); at += piece {
		if err := e.Pace(ctx); err != nil {
			return err
		}
		e.Append(d.body[at:min(at+piece, len(d.body))])
	}
	e.Complete()
	return nil
}

// Rule 3: what outgrows memory and is not swapping out takes no new readers, and
// its slowest reader paces it: memory stays small, every reader gets every byte.
func TestTheSlowestReaderPaces(t *testing.T) {
	c := memoryOnly()
	c.MaxInMemory = 64 << 10
	s := open(t, c)
	d := docOf(1, 2<<20)
	var own, slow Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	e.Put()
	if found := s.find(d, &slow); found != Joined {
		t.Fatalf("found %d", found)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if err := d.fetch(e, 8<<10); err != nil {
			t.Error(err)
		}
	})
	most := 0
	all.Go(func() {
		own.readAll(t, d)
		own.Close()
	})
	for at := 0; at < len(d.body); at += 32 << 10 {
		got, err := slow.read(t.Context(), 32<<10)
		if !errors.Is(err, errMore) || string(got) != string(d.body[at:at+32<<10]) {
			t.Fatalf("at %d: %d bytes, %v", at, len(got), err)
		}
		most = max(most, s.Stats().MemoryPages)
	}
	if got, err := slow.read(t.Context(), 1); err != nil || len(got) != 0 {
		t.Errorf("at the end: %d bytes, %v", len(got), err)
	}
	slow.Close()
	all.Wait()
	if most > 64 { // the bound at which it outgrows, a gap and what is under way
		t.Errorf("%d pages in use at times", most)
	}
	var late Reader
	if found := s.find(d, &late); found != Miss || s.Stats().MemoryPages != 0 {
		t.Errorf("found %d, %+v", found, s.Stats())
	}
}

// Rule 3: a reader without progress while others wait is ended, and counted; the
// others get every byte. What it holds stays as it is until it lets go.
func TestAReaderThatStandsStillIsEnded(t *testing.T) {
	c := memoryOnly()
	c.MaxInMemory, c.Stall = 64<<10, 30*time.Millisecond
	s := open(t, c)
	d := docOf(1, 1<<20)
	ended := make(chan struct{})
	var own, stuck Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	e.Put()
	s.find(d, &stuck)
	stuck.WhenEnded(func() { close(ended) })
	e.Append(d.body[:4096])
	span, err := stuck.Next(t.Context(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	rest := *d
	rest.body = d.body[4096:]
	var all sync.WaitGroup
	all.Go(func() {
		if err := rest.fetch(e, 8<<10); err != nil {
			t.Error(err)
		}
	})
	own.readAll(t, d)
	<-ended
	all.Wait()
	held := 0
	for _, piece := range span.Pieces {
		if string(piece) != string(d.body[held:held+len(piece)]) {
			t.Error("bytes changed while they were in use")
		}
		held += len(piece)
	}
	stuck.Advance(int64(held))
	if _, err := stuck.Next(t.Context(), 1); !errors.Is(err, ErrStalled) {
		t.Errorf("the one that stood still: %v", err)
	}
	own.Close()
	stuck.Close()
	if st := s.Stats(); st.Stalled != 1 || st.MemoryPages != 0 {
		t.Errorf("%+v", st)
	}
}

// A reader that is slow and alone, or the only one behind, is back-pressure and no
// more: nobody else waits for it.
func TestASlowReaderAloneIsNotEnded(t *testing.T) {
	c := memoryOnly()
	c.MaxInMemory, c.Stall = 64<<10, time.Millisecond
	s := open(t, c)
	d := docOf(1, 300_000)
	var own Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	e.Put()
	e.Own()
	e.Append(d.body[:100_000])
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := e.Pace(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the writer did not wait: %v", err)
	}
	rest := *d
	rest.body = d.body[100_000:]
	go rest.fetch(e, 50_000)
	own.readAll(t, d)
	own.Close()
}

// Rule 8: without a page storing ends, and the clients get every byte all the same.
func TestWithoutMemoryEveryByteArrives(t *testing.T) {
	for _, memory := range []int64{0, 4096, 64 << 10} {
		c := memoryOnly()
		c.Memory = memory
		s := open(t, c)
		d := docOf(1, 500_000)
		var own, other Reader
		e := s.Begin(d.opening(), &filler{}, &own)
		e.Publish(d.published(len(d.body)))
		e.Put()
		found := s.find(d, &other)
		var all sync.WaitGroup
		all.Go(func() {
			if err := d.fetch(e, 8<<10); err != nil {
				t.Error(err)
			}
		})
		if found == Joined {
			all.Go(func() { other.readAll(t, d); other.Close() })
		}
		all.Go(func() { own.readAll(t, d); own.Close() })
		all.Wait()
		if st := s.Stats(); st.MemoryPages != 0 || st.Objects != 0 || memory > 0 && st.NoPage == 0 && found == Joined {
			t.Errorf("cache_mem %d: %+v", memory, st)
		}
	}
}

// With nothing to keep and one reader the bytes pass by the store.
func TestBytesPassBy(t *testing.T) {
	c := memoryOnly()
	c.MaxObject = 100_000
	s := open(t, c)
	d := docOf(1, 500_000)
	var own Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	var got []byte
	for at := 0; at < len(d.body); at += 10_000 {
		if !e.Take() {
			t.Fatal("the permit is gone")
		}
		if piece := d.body[at : at+10_000]; e.Append(piece) {
			e.Put()
			more, _ := own.read(t.Context(), len(piece))
			got = append(got, more...)
		} else {
			e.Put()
			got = append(got, piece...)
			own.Advance(int64(len(piece)))
		}
	}
	e.Complete()
	more, err := own.read(t.Context(), 1)
	if got = append(got, more...); err != nil || string(got) != string(d.body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	own.Close()
}

// A fetch that goes on without a client ends when nothing of it can stay.
func TestNobodyFetchesForNobody(t *testing.T) {
	c := memoryOnly()
	c.MaxObject = 100_000
	s := open(t, c)
	d := docOf(1, 500_000)
	e := s.Begin(d.opening(), &filler{}, nil)
	e.Publish(d.published(-1))
	if err := d.fetch(e, 10_000); !errors.Is(err, ErrAborted) || e.size > 110_000 {
		t.Errorf("%v after %d bytes", err, e.size)
	}
	e.Abort(nil)
	purged := s.Begin(d.opening(), &filler{}, nil)
	purged.Publish(d.published(90_000))
	purged.Append(d.body[:10_000])
	s.Purge(d.key)
	if err := purged.Pace(t.Context()); !errors.Is(err, ErrAborted) {
		t.Error(err)
	}
	purged.Abort(nil)
}

// A reader that has waited for a slow origin has made no progress either, but is
// none that stands still.
func TestWaitingForTheOriginIsNoStandstill(t *testing.T) {
	c := memoryOnly()
	c.MaxInMemory, c.Stall = 64<<10, time.Minute
	s := open(t, c)
	clock := time.Now()
	var mu sync.Mutex
	s.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	d := docOf(1, 200_000)
	var own, other Reader
	e := s.Begin(d.opening(), &filler{}, &own)
	e.Publish(d.published(-1))
	e.Put()
	s.find(d, &other)
	for _, r := range []*Reader{&own, &other} {
		if _, err := r.Poll(1); err != ErrNotYet {
			t.Fatal(err)
		}
	}
	mu.Lock()
	clock = clock.Add(time.Hour) // the origin says nothing
	mu.Unlock()
	e.Append(d.body)
	if got, err := other.read(t.Context(), len(d.body)); err != errMore || len(got) != len(d.body) {
		t.Fatal(len(got), err)
	}
	other.Poll(1)
	e.mu.Lock()
	wait, limit := e.mustWait()
	e.mu.Unlock()
	if !wait || limit != time.Minute || s.Stats().Stalled != 0 {
		t.Errorf("the writer waits: %v, for %v; %d readers ended", wait, limit, s.Stats().Stalled)
	}
	e.Complete()
	own.readAll(t, d)
	own.Close()
	other.Close()
}

// Who waits for readers hears at once of the end.
func TestAnEndEndsTheWritersWait(t *testing.T) {
	for name, end := range map[string]func(*Store, *Entry, *doc, *Reader){
		"purged and left": func(s *Store, _ *Entry, d *doc, r *Reader) { s.Purge(d.key); r.Close() },
		"left":            func(_ *Store, _ *Entry, _ *doc, r *Reader) { r.Close() },
		"aborted":         func(_ *Store, e *Entry, _ *doc, _ *Reader) { e.Abort(nil) },
	} {
		c := memoryOnly()
		c.MaxInMemory, c.Stall = 64<<10, time.Hour
		s := open(t, c)
		d := docOf(1, 200_000)
		var own Reader
		e := s.Begin(d.opening(), &filler{}, &own)
		e.Publish(d.published(-1))
		e.Put()
		e.Append(d.body)
		ended := make(chan error)
		go func() { ended <- e.Pace(context.Background()) }()
		end(s, e, d, &own)
		select {
		case err := <-ended:
			if !errors.Is(err, ErrAborted) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(patience):
			t.Fatalf("%s: the writer waits on", name)
		}
		e.Abort(nil)
		own.Close()
	}
}
