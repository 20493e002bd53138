package store

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Where a stored head ends is where it ended when it was parsed.
func FuzzHeadEnd(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.0 200 OK\r\n\r\nbody", "HTTP/1.0 200 OK\n\nbody", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n\r\n",
		"HTTP/1.0 200 OK\r\nA: b\n\r\nbody", "HTTP/1.0 200 OK\r\n", "HTTP/1.0 200 OK\r\r\n\r\n", "", "\n\n", "\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	options := http1.Options{Relaxed: true, MaxHead: 1 << 20}
	f.Fuzz(func(t *testing.T, b []byte) {
		end := headEnd(b)
		if end < 0 || end > len(b) {
			t.Fatalf("end %d of %d", end, len(b))
		}
		var r http1.Reply
		n, state := r.Parse(b, false, &options)
		if state == http1.Complete && len(r.Head) > 0 && n != end {
			t.Errorf("%q ends at %d, parsed to %d", b, end, n)
		}
		if state == http1.NeedMore && end != 0 {
			t.Errorf("%q ends at %d, the parser wants more", b, end)
		}
	})
}
