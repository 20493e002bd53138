package http1

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// A list that begins with what was lent is the list into which it was copied, whatever
// is done to it.
func TestLent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := "HTTP/1.1 200 OK\r\n"
		for i := range rapid.IntRange(0, 6).Draw(t, "fields") {
			name := rapid.SampledFrom([]string{"Server", "content-type", "X-Own", "Set-Cookie", "Age", "x-other", "Via"}).Draw(t, "name")
			head += name + ":" + rapid.SampledFrom([]string{"", " v", " a: b, c:d", "\tw\t"}).Draw(t, "value") + fmt.Sprint(i) + "\r\n"
		}
		var r Reply
		if _, state := r.Parse([]byte(head+"\r\n"), true, &Options{Relaxed: true}); state != Complete {
			t.Fatalf("%q", head)
		}
		var copied, lent Outgoing
		for i := range r.Len() {
			copied.Copy(&r.Fields, i)
		}
		lent.Lend(copied.Lines())
		for range rapid.IntRange(0, 6).Draw(t, "steps") {
			id := rapid.SampledFrom([]Name{Server, ContentType, SetCookie, Age, Via, XCache}).Draw(t, "id")
			what := rapid.IntRange(0, 5).Draw(t, "step")
			at := rapid.IntRange(0, 9).Draw(t, "at")
			for _, o := range []*Outgoing{&copied, &lent} {
				switch {
				case what == 0:
					o.Remove(id)
				case what == 1:
					o.AddString(id, "added")
				case what == 2 && o.Len() > 0:
					o.SetAt(at%o.Len(), []byte("set"))
				case what == 3 && o.Len() > 0:
					o.RemoveAt(at % o.Len())
				}
			}
			if copied.Has(id) != lent.Has(id) || what == 4 && !bytes.Equal(copied.Get(id), lent.Get(id)) {
				t.Fatalf("%v: %v, %v", id, copied.Has(id), lent.Has(id))
			}
		}
		if a, b := copied.Append(nil), lent.Append(nil); !bytes.Equal(a, b) {
			t.Fatalf("%q, lent %q", a, b)
		}
		for i := range copied.Len() {
			if copied.ID(i) != lent.ID(i) || !bytes.Equal(copied.Key(i), lent.Key(i)) || !bytes.Equal(copied.Value(i), lent.Value(i)) {
				t.Fatalf("field %d: %q %q, lent %q %q", i, copied.Key(i), copied.Value(i), lent.Key(i), lent.Value(i))
			}
		}
		if copied.Len() != lent.Len() {
			t.Fatalf("%d fields, lent %d", copied.Len(), lent.Len())
		}
	})
}

// A reply that is recalled is the one that was read, and shares nothing but the text it
// is given.
func TestRecall(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\n\r\n",
		"HTTP/1.0 404 No\r\nA: b\r\n  folded\r\nC : d\r\nnothing\r\n\r\n", // repaired
		"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
		"HTTP/1.1 204 OK\r\n\r\n",
	} {
		known, _, _ := parseReply(t, head, relaxed)
		var r Reply
		for range 2 { // in storage that was used
			text := []byte(head)
			r.Recall(known, text)
			if &r.Head[0] != &text[0] || r.Status != known.Status || r.Major != known.Major || r.Minor != known.Minor || r.LineLen != known.LineLen ||
				r.ContentLength() != known.ContentLength() || r.Dropped != known.Dropped || r.Folded != known.Folded || r.Len() != known.Len() {
				t.Errorf("%q: %+v, not %+v", head, r, known)
			}
			if got, want := r.AppendLines(nil), known.AppendLines(nil); !bytes.Equal(got, want) {
				t.Errorf("%q: %q, not %q", head, got, want)
			}
			if r.ConnectionLists([]byte("x-hop")) != known.ConnectionLists([]byte("x-hop")) {
				t.Errorf("%q: other hop fields", head)
			}
			r.Delete(ContentLength)
			if known.Has(ContentLength) != (known.ContentLength() >= 0) {
				t.Errorf("%q: what is known was changed", head)
			}
		}
	}
}
