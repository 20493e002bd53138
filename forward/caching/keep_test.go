package caching

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// A head is stored as it came, but for what belongs to its hop, and a part that is the
// whole as the whole.
func TestStoredHead(t *testing.T) {
	for _, c := range []struct{ head, want string }{
		{"HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 3\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nX-a: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX-a: 1\r\n\r\n"},
		{"HTTP/1.0 206 Part\r\nContent-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n"},
		{"HTTP/1.1 404 No\r\nContent-Range: bytes 0-2/3\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Range: bytes 0-2/3\r\n\r\n"},
	} {
		var rep http1.Reply
		rep.Reset()
		if _, state := rep.Parse([]byte(c.head), true, &http1.Options{MaxHead: 1 << 10}); state != http1.Complete {
			t.Fatalf("%q: %v", c.head, state)
		}
		if got := string(storedHead(&rep, 3)); got != c.want {
			t.Errorf("%q is stored as %q, not %q", c.head, got, c.want)
		}
	}
}

func TestBodyLength(t *testing.T) {
	for want, b := range map[int64]http1.Body{
		0: {}, 7: {Framing: http1.ByLength, Length: 7}, -1: {Framing: http1.ByChunks},
	} {
		if got := bodyLength(b); got != want {
			t.Errorf("%+v: %d, want %d", b, got, want)
		}
	}
	if got := bodyLength(http1.Body{Framing: http1.UntilClose, Length: -1}); got != -1 {
		t.Errorf("until the end: %d", got)
	}
}

// What a request for what is not stored leaves out of the client's.
func TestMissEdit(t *testing.T) {
	ids := []http1.Name{http1.IfNoneMatch, http1.IfModifiedSince, http1.Range, http1.IfRange, http1.UserAgent}
	for name, c := range map[string]struct {
		edit missEdit
		out  [5]bool
	}{
		"as it is": {missEdit{}, [5]bool{}},
		"by tags":  {missEdit{tags: []byte(`"a"`)}, [5]bool{true}},
		"whole":    {missEdit{whole: true}, [5]bool{false, false, true, true}},
		"plain":    {missEdit{plain: true}, [5]bool{true, true}},
	} {
		for i, id := range ids {
			if got := c.edit.leavesOut(id); got != c.out[i] {
				t.Errorf("%s: field %d left out: %v", name, i, got)
			}
		}
		if c.edit.any() != (c.out != [5]bool{}) {
			t.Errorf("%s: any is %v", name, c.edit.any())
		}
	}
}

// What the store is told of an object; what is asked about before each use is over for
// everybody who goes by times.
func TestMetadataOf(t *testing.T) {
	for _, c := range []struct {
		flags freshness.Flags
		rule  freshness.Rule
		want  store.Metadata
	}{
		{0, freshness.Rule{}, store.Metadata{Timestamp: 100, Expires: 900, LastMod: 50}},
		{freshness.Negative | freshness.Tagged, freshness.Rule{}, store.Metadata{Timestamp: 100, Expires: 900, LastMod: 50, Flags: store.Negative}},
		{freshness.NeverStale, freshness.Rule{}, store.Metadata{Timestamp: 100, Expires: 900, LastMod: 50, Flags: store.Revalidate}},
		{freshness.AskedAlways, freshness.Rule{}, store.Metadata{Timestamp: 100, Expires: 100, LastMod: 50, Flags: store.RefreshRequest}},
		{freshness.AskedAlways, freshness.Rule{IgnoreNoCache: true}, store.Metadata{Timestamp: 100, Expires: 900, LastMod: 50, Flags: store.RefreshRequest}},
	} {
		o := freshness.Object{Timestamp: 100, Expires: 900, LastModified: 50, Flags: c.flags}
		if got := metadataOf(&o, &c.rule); got != c.want {
			t.Errorf("%b: %+v, want %+v", c.flags, got, c.want)
		}
	}
}
