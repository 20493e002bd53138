package caching

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// put stores an object of one octet under a key.
func put(s *store.Store, key store.Key, head string, timestamp int64) {
	s.Put(&store.Opening{Key: key, Method: http1.GET, URL: key[:]},
		&store.Head{Key: key, Bytes: []byte(head), Length: 1, Metadata: store.Metadata{Timestamp: store.TimeOf(timestamp)}}, []byte("x"))
}

// What is recalled is what would be read: another head under the same key, or the same one
// with other times, is read anew.
func TestKnownHeads(t *testing.T) {
	s, err := store.Open(store.Config{Memory: 1 << 20, MaxInMemory: 1 << 10, SwapLow: 90, SwapHigh: 95, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := &Policy{Policy: &fetch.Policy{Rules: &freshness.Rules{}}, Known: new(Known)}
	bare := &Policy{Policy: p.Policy}
	key := store.Key{1}
	read := func(p *Policy, accelerated bool) *Object {
		o := new(Object)
		if accelerated {
			o.accelerate()
		}
		if _, err := o.open(t.Context(), s, p, time.Now(), key, key[:], false); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { o.Close() })
		return o
	}
	recalled := 0
	for n, c := range []struct {
		head        string
		timestamp   int64
		accelerated bool
	}{
		{"HTTP/1.1 200 OK\r\nA: b\r\nCache-Control: max-age=5\r\n\r\n", 1000, false},
		{"HTTP/1.1 200 OK\r\nA: b\r\nCache-Control: max-age=5\r\n\r\n", 2000, false},
		{"HTTP/1.1 200 OK\r\nA: c\r\nCache-Control: immutable\r\n\r\n", 2000, false},
		{"HTTP/1.1 200 OK\r\nA: c\r\nCDN-Cache-Control: must-revalidate\r\n\r\n", 2000, false},
		{"HTTP/1.1 200 OK\r\nA: c\r\nCDN-Cache-Control: must-revalidate\r\n\r\n", 2000, true},
	} {
		put(s, key, c.head, c.timestamp)
		for range 2 * knownPatience {
			got, want := read(p, c.accelerated), read(bare, c.accelerated)
			if got.known != nil {
				recalled++
			}
			if got.Described != want.Described || !bytes.Equal(got.Reply.AppendLines(nil), want.Reply.AppendLines(nil)) {
				t.Errorf("%d: %+v %q, not %+v %q", n, got.Described, got.Reply.Head, want.Described, want.Reply.Head)
			}
			if want.known != nil {
				t.Error("known without a memory")
			}
			got.Close()
			want.Close()
		}
	}
	if recalled < 5*knownPatience {
		t.Errorf("recalled %d times", recalled)
	}
}

// Who has a place keeps it while it is of use, and goes when others ask for it again and
// again.
func TestKnownKeysGiveWay(t *testing.T) {
	var k Known
	first := []byte("http://o.test/")
	k.rememberKey(store.Key{1}, http1.GET, first, "")
	if _, ok := k.key(http1.HEAD, first, ""); ok {
		t.Error("known for another method")
	}
	if _, ok := k.key(http1.GET, first, "group"); ok {
		t.Error("known in a group")
	}
	var other []byte // one that belongs in the same place
	for n := 0; other == nil || k.keys.place(other) != k.keys.place(first); n++ {
		other = fmt.Appendf(nil, "http://o.test/%d", n)
	}
	for n := range 5 * knownPatience {
		if key, ok := k.key(http1.GET, first, ""); !ok || key != (store.Key{1}) {
			t.Fatalf("%d: %v, %v", n, key, ok)
		}
		k.rememberKey(store.Key{2}, http1.GET, other, "")
	}
	for range knownPatience {
		k.rememberKey(store.Key{2}, http1.GET, other, "")
	}
	if key, ok := k.key(http1.GET, other, ""); !ok || key != (store.Key{2}) {
		t.Errorf("%v, %v", key, ok)
	}
	k.rememberKey(store.Key{3}, http1.GET, bytes.Repeat([]byte("x"), longestKnown+1), "")
	if _, ok := k.key(http1.GET, bytes.Repeat([]byte("x"), longestKnown+1), ""); ok {
		t.Error("too long a URL is known")
	}
}
