package freshness

import (
	"math"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

func replyWith(t testing.TB, status string, fields string) *http1.Reply {
	t.Helper()
	var rep http1.Reply
	rep.Reset()
	if _, state := rep.Parse([]byte("HTTP/1.1 "+status+" X\r\n"+fields+"\r\n"), true, &http1.Options{Relaxed: true}); state != http1.Complete {
		t.Fatalf("fields %q: %v", fields, rep.Fault)
	}
	return &rep
}

func requestWith(t testing.TB, method, fields string) *http1.Request {
	t.Helper()
	var req http1.Request
	req.Reset()
	if _, state := req.Parse([]byte(method+" http://o.test/a HTTP/1.1\r\n"+fields+"\r\n"), &http1.Options{Relaxed: true}); state != http1.Complete {
		t.Fatalf("fields %q: %v", fields, req.Fault)
	}
	return &req
}

func TestControl(t *testing.T) {
	for _, c := range []struct {
		fields string
		want   Control
	}{
		{"", Control{}},
		{"Cache-Control: max-age=60", Control{Set: MaxAge, MaxAge: 60}},
		{"Cache-Control: MAX-AGE=60, Public", Control{Set: MaxAge | Public, MaxAge: 60}},
		{"Cache-Control: max-age=60\r\nCache-Control: max-age=5, s-maxage=7", Control{Set: MaxAge | SMaxAge, MaxAge: 60, SMaxAge: 7}},
		{"Cache-Control: max-age=abc, max-age=9", Control{Set: MaxAge, MaxAge: 9}},
		{`Cache-Control: max-age="60"`, Control{Set: MaxAge, MaxAge: 60}},
		{"Cache-Control: max-age=99999999999999999999", Control{Set: MaxAge, MaxAge: math.MaxInt32}},
		{"Cache-Control: max-age=-1", Control{}},
		{"Cache-Control: max-age", Control{}},
		{"Cache-Control: max-age =60", Control{}},
		{"Cache-Control: xmax-age=60, foo=\"max-age=3, no-store\"", Control{}},
		{`Cache-Control: private="Set-Cookie, X", no-cache=Y`, Control{Set: Private | NoCache}},
		{"Cache-Control: max-stale", Control{Set: MaxStale, MaxStale: -1}},
		{"Cache-Control: max-stale=4, min-fresh=3", Control{Set: MaxStale | MinFresh, MaxStale: 4, MinFresh: 3}},
		{"Cache-Control: max-stale=x", Control{}},
		{"Cache-Control: immutable, must-understand, no-store", Control{Set: Immutable | MustUnderstand | NoStore}},
		{"Cache-Control: stale-while-revalidate=5, stale-if-error=6", Control{Set: StaleWhileRevalidate | StaleIfError, StaleWhileRevalidate: 5, StaleIfError: 6}},
		{"Cache-Control: must-revalidate,proxy-revalidate,,only-if-cached", Control{Set: MustRevalidate | ProxyRevalidate | OnlyIfCached}},
	} {
		fields := c.fields
		if fields != "" {
			fields += "\r\n"
		}
		if got := ReadControl(&replyWith(t, "200", fields).Fields); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.fields, got, c.want)
		}
	}
}

func FuzzControl(f *testing.F) {
	for _, seed := range []string{"max-age=60, private=\"a,b\"", "max-stale, s-maxage=\"1\"", "=,=\"\\", "no-cache=\"", "max-age=99999999999"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var c Control
		c.read(value)
		for _, n := range []int32{c.MaxAge, c.SMaxAge, c.MinFresh, c.StaleWhileRevalidate, c.StaleIfError} {
			if n < 0 {
				t.Errorf("%q: %+v", value, c)
			}
		}
		twice := c
		twice.read(value)
		if twice != c {
			t.Errorf("%q: read twice %+v, once %+v: the first does not count", value, twice, c)
		}
	})
}
