package caching

import (
	"bytes"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"pgregory.net/rapid"
)

// tagged are the fields of a reply with an entity tag.
func tagged(t interface{ Fatal(...any) }, tag string) *http1.Fields {
	rep := new(http1.Reply)
	head := []byte("HTTP/1.1 206 Partial\r\nETag: \"" + tag + "\"\r\n\r\n")
	if _, state := rep.Parse(head, true, &http1.Options{MaxHead: 1 << 10}); state != http1.Complete {
		t.Fatal(state)
	}
	return &rep.Fields
}

// wholeOf is the head of a body of so many octets.
func wholeOf(key store.Key, size int64) *store.Head { return &store.Head{Key: key, Length: size} }

// whole is what a body that was joined holds.
func (b *joined) whole() []byte { return bytes.Join(b.blocks, nil) }

// pattern is a body of which every octet depends on its place and on which it is.
func pattern(which, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + which*31)
	}
	return b
}

// Bodies of parts in any order, of several URLs at once: what comes out whole is what the
// parts were of, memory is never above the limit, and what is left is counted right.
func TestJoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var j joins
		limit := rapid.SampledFrom([]int64{joinBlock, 4 * joinBlock, 1 << 20}).Draw(t, "limit")
		sizes := []int{1, 1000, joinBlock - 1, joinBlock, joinBlock + 1, 3*joinBlock + 77}
		open := map[int]*joined{}
		type reader struct {
			b        *joined
			from, to int
			body     []byte
		}
		var reading []reader
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			n := rapid.IntRange(0, 3).Draw(t, "body")
			tag := rapid.SampledFrom([]string{"a", "a", "a", "b"}).Draw(t, "tag")
			size := sizes[(n+len(tag))%len(sizes)]
			body := pattern(n*2+int(tag[0]), size)
			key := store.Key{byte(n)}
			b := j.open(key, tagged(t, tag), wholeOf(key, int64(size)), nil)
			if old := open[n]; old != nil && old != b && !old.gone {
				t.Fatal("two bodies under one key")
			}
			open[n] = b
			from := rapid.IntRange(0, size-1).Draw(t, "from")
			to := rapid.IntRange(from+1, size).Draw(t, "to")
			if rapid.Bool().Draw(t, "long") {
				from, to = from/2, size
			}
			whole, ok := j.add(b, int64(from), body[from:to], limit)
			switch {
			case whole && (!ok || !bytes.Equal(b.whole(), body)):
				t.Fatal("what is whole is not the body")
			case ok && whole != b.gone, !ok && !b.gone:
				t.Fatalf("whole %v, ok %v, gone %v, %v", whole, ok, b.gone, b.parts)
			case !whole && ok && b.parts.Whole(int64(size)):
				t.Fatal("a whole was not told")
			}
			if rapid.IntRange(0, 9).Draw(t, "drop") == 0 {
				j.drop(key)
			}
			if r := j.find(key, func(b *joined) bool { return b.parts.Has(freshness.Span{From: int64(from), To: int64(to)}) }); r != nil {
				if r.gone || r.key != key {
					t.Fatalf("found what is gone, or another one: %+v", r)
				}
				reading = append(reading, reader{r, from, to, pattern(n*2+int(r.etag[1]), int(r.size))})
			}
			if len(reading) > 0 && rapid.Bool().Draw(t, "ends") {
				r := reading[0]
				h := Held{Span: freshness.Span{From: int64(r.from), To: int64(r.to)}, of: r.b, at: int64(r.from)}
				var got []byte
				for {
					piece, err := h.Next(rapid.IntRange(1, 2*joinBlock).Draw(t, "most"), false)
					if err != nil {
						break
					}
					got = append(got, piece...)
				}
				if !bytes.Equal(got, r.body[r.from:r.to]) {
					t.Fatal("what is held of a body is not of it")
				}
				j.release(r.b)
				reading = reading[1:]
			}
			held, counted := int64(0), map[*joined]bool{}
			for _, r := range reading {
				if r.b.gone && !counted[r.b] {
					counted[r.b] = true
					for _, block := range r.b.blocks {
						held += int64(len(block))
					}
				}
			}
			for _, b := range j.bodies {
				for i, block := range b.blocks {
					held += int64(len(block))
					if block != nil && len(block) != min(joinBlock, int(b.size)-i*joinBlock) {
						t.Fatal("a block of another size")
					}
				}
			}
			if held != j.held || held > limit || len(j.bodies) > 4 {
				t.Fatalf("%d bytes are held, %d counted, of %d", held, j.held, limit)
			}
		}
	})
}

// Parts with other bytes where they overlap end the body, whatever their entity tag says.
func TestJoinsDisagree(t *testing.T) {
	var j joins
	key, size := store.Key{1}, int64(3*joinBlock)
	body := pattern(1, int(size))
	b := j.open(key, tagged(t, "a"), wholeOf(key, size), nil)
	if whole, ok := j.add(b, 0, body[:2*joinBlock], 1<<20); whole || !ok {
		t.Fatal(whole, ok)
	}
	other := bytes.Clone(body[joinBlock+5:])
	other[joinBlock-6]++ // the last one that is there
	if whole, ok := j.add(b, joinBlock+5, other, 1<<20); whole || ok || len(j.bodies) != 0 || j.held != 0 {
		t.Fatal(whole, ok, j.held)
	}
	if whole, ok := j.add(b, 2*joinBlock, body[2*joinBlock:], 1<<20); whole || ok {
		t.Fatal("something came of a body that was given up")
	}
}

// There are only so many, and those that were added to last stay.
func TestJoinsAreFew(t *testing.T) {
	var j joins
	first := j.open(store.Key{}, tagged(t, "a"), wholeOf(store.Key{}, 10), nil)
	for i := 1; i < 3*mostJoined; i++ {
		key := store.Key{byte(i), byte(i >> 8)}
		j.add(j.open(key, tagged(t, "a"), wholeOf(key, 10), nil), 0, []byte("x"), 1<<20)
		if i%7 == 0 {
			if _, ok := j.add(first, int64(i/7%5), []byte("x"), 1<<20); !ok {
				t.Fatalf("the first is gone after %d", i)
			}
		}
	}
	if len(j.bodies) > mostJoined || j.held != int64(10*len(j.bodies)) {
		t.Errorf("%d bodies of %d bytes", len(j.bodies), j.held)
	}
	for _, tag := range []string{"b"} {
		if b := j.open(store.Key{}, tagged(t, tag), wholeOf(store.Key{}, 10), nil); b == first || !first.gone {
			t.Error("another entity tag found the same body")
		}
	}
	var parts freshness.Parts
	if parts.Whole(0) != true {
		t.Error("nothing is no whole of nothing")
	}
}
