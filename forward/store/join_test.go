package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// Rule 4: with collapsed forwarding requests wait for the head and select again.
func TestWaitingForTheHead(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 30_000)
	f := &filler{}
	var own Reader
	opening := d.opening()
	opening.Collapsed = true
	e := s.Begin(opening, f, &own)
	var all sync.WaitGroup
	arrived := make(chan struct{}, 8)
	for range 8 {
		all.Go(func() {
			var r Reader
			if found := s.find(d, &r); found != Waiting {
				t.Errorf("found %d", found)
			}
			arrived <- struct{}{}
			if err := r.AwaitHead(t.Context()); err != nil {
				t.Error(err)
			}
			r.Close()
			if found := s.find(d, &r); found != Joined && found != Hit {
				t.Errorf("after the head: found %d", found)
				return
			}
			r.readAll(t, d)
			r.Close()
		})
	}
	for range 8 {
		<-arrived
	}
	e.Put()
	e.Publish(d.published(-1))
	for at := 0; at < len(d.body); at += 10_000 {
		e.Append(d.body[at : at+10_000])
	}
	e.Complete()
	own.readAll(t, d)
	own.Close()
	all.Wait()
	if fills, _, _ := f.counts(); fills != 1 {
		t.Errorf("the fetch has %d goroutines", fills)
	}
}

// Rule 4: without collapsed forwarding nobody waits, and the later head wins.
func TestWithoutCollapsingEachFetches(t *testing.T) {
	s := open(t, memoryOnly())
	first, second := docOf(1, 20_000), docOf(1, 20_000)
	second.body[7]++
	var r1, r2, r Reader
	e1 := s.Begin(first.opening(), &filler{}, &r1)
	if found := s.find(first, &r); found != Miss {
		t.Fatalf("found %d", found)
	}
	e2 := s.Begin(second.opening(), &filler{}, &r2)
	e1.Publish(first.published(20_000))
	e1.Append(first.body[:5000])
	e2.Publish(second.published(20_000))
	e2.Append(second.body)
	e2.Complete()
	e1.Append(first.body[5000:])
	e1.Complete()
	r1.readAll(t, first)
	r2.readAll(t, second)
	r1.Close()
	r2.Close()
	if found := s.find(first, &r); found != Hit {
		t.Fatalf("found %d", found)
	}
	r.readAll(t, second)
	r.Close()
	if st := s.Stats(); st.Objects != 1 {
		t.Errorf("%+v", st)
	}
}

// Rule 4: a head that makes a variant of it is found under the variant's key, and
// what is unstorable under none; who waited selects again.
func TestTheHeadDecidesWhatWaitersGet(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 100)
	opening := d.opening()
	opening.Collapsed = true
	var own, waiter Reader

	e := s.Begin(opening, &filler{}, &own)
	s.find(d, &waiter)
	variant := KeyParts{Method: opening.Method, URL: d.url, Vary: []byte(`accept-language="en"`)}
	h := d.published(len(d.body))
	h.Key, h.Vary = variant.Key(), variant.Vary
	e.Publish(h)
	if err := waiter.AwaitHead(t.Context()); err != nil {
		t.Fatal(err)
	}
	waiter.Close()
	if found := s.find(d, &waiter); found != Miss {
		t.Errorf("found %d under the plain key", found)
	}
	if found := s.Lookup(time.Now(), h.Key, d.url, &waiter); found != Joined {
		t.Errorf("found %d under the variant's key", found)
	}
	if text := waiter.Vary(nil); string(text) != string(h.Vary) {
		t.Errorf("it varies by %q", text)
	}
	waiter.Close()
	e.Append(d.body)
	e.Complete()
	own.Close()
	if found := s.Lookup(time.Now(), h.Key, d.url, &waiter); found != Hit || string(waiter.Vary(nil)) != string(h.Vary) {
		t.Errorf("found %d, varies by %q", found, waiter.Vary(nil))
	}
	waiter.Close()

	e = s.Begin(opening, &filler{}, &own)
	s.find(d, &waiter)
	e.Withdraw()
	for _, r := range []*Reader{&own, &waiter} {
		if err := r.AwaitHead(t.Context()); !errors.Is(err, ErrWithdrawn) {
			t.Errorf("after Withdraw: %v", err)
		}
		r.Close()
	}
	if found := s.find(d, &waiter); found != Miss {
		t.Errorf("found %d after Withdraw", found)
	}
}

// A waiter whose client goes does not end the fetch of the others.
func TestAWaiterGivesUp(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 100)
	opening := d.opening()
	opening.Collapsed = true
	f := &filler{}
	var own, waiter Reader
	e := s.Begin(opening, f, &own)
	s.find(d, &waiter)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := waiter.AwaitHead(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	waiter.Close()
	if _, _, stops := f.counts(); stops != 0 {
		t.Error("the fetch was ended")
	}
	e.Put()
	if own.Close() {
		t.Error("a fetch without head goes on for nobody")
	}
	if _, _, stops := f.counts(); stops != 1 {
		t.Errorf("%d stops", stops)
	}
}

// Rule 3: what is not expected to be kept takes no new readers.
func TestWhoMayJoin(t *testing.T) {
	c := memoryOnly()
	c.MaxInMemory, c.MaxObject, c.MinObject = 64<<10, 1<<20, 50
	s := open(t, c)
	for _, tc := range []struct {
		name            string
		announced, came int
		found           Found
	}{
		{"known length within the limits", 60_000, 10, Joined},
		{"nothing of the body yet", 60_000, 0, Joined},
		{"known length beyond memory", 70_000, 10, Miss},
		{"unknown length within memory", -1, 60_000, Joined},
		{"unknown length beyond memory", -1, 70_000, Miss},
		{"too large", 2 << 20, 10, Miss},
		{"too small", 49, 10, Miss},
	} {
		d := docOf(1, max(tc.announced, tc.came))
		var own, other Reader
		e := s.Begin(d.opening(), &filler{}, &own)
		e.Publish(d.published(tc.announced))
		e.Append(d.body[:tc.came])
		if found := s.find(d, &other); found != tc.found {
			t.Errorf("%s: found %d", tc.name, found)
		}
		other.Close()
		e.Put()
		own.Close()
		if found := s.find(d, &other); found != Miss {
			t.Errorf("%s: found %d after the end", tc.name, found)
		}
	}
	eventually(t, "all pages are free", func() bool { return s.Stats().MemoryPages == 0 })
}
