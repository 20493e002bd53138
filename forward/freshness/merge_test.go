package freshness

import (
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct{ stored, renewed, want string }{
		{"A: 1\r\nCache-Control: max-age=1\r\nB: 2\r\n", "Cache-Control: max-age=600\r\nX-New: 1\r\n",
			"A: 1\r\nCache-Control: max-age=600\r\nB: 2\r\nX-New: 1\r\n"},
		{"A: 1\r\nX: 1\r\nx: 2\r\nB: 2\r\n", "X: 3\r\nX: 4\r\nX: 5\r\n", "A: 1\r\nX: 3\r\nX: 4\r\nX: 5\r\nB: 2\r\n"},
		{"Content-Length: 3\r\nContent-Type: a/b\r\nContent-Encoding: gzip\r\nETag: \"e\"\r\n",
			"Content-Length: 0\r\nContent-Type: x/y\r\nContent-Encoding: br\r\nContent-Range: bytes 0-1/2\r\nETag: W/\"e\"\r\nTransfer-Encoding: chunked\r\n",
			"Content-Length: 3\r\nContent-Type: a/b\r\nContent-Encoding: gzip\r\nETag: \"e\"\r\n"},
		{"A: 1\r\n", "Connection: close, X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a=b\r\nVia: 1.1 x\r\nA: 2\r\n", "A: 2\r\n"},
		{"Date: Fri, 15 Jan 2027 08:00:00 GMT\r\nAge: 7\r\n", "Date: Fri, 15 Jan 2027 09:00:00 GMT\r\n",
			"Date: Fri, 15 Jan 2027 09:00:00 GMT\r\n"},
		{"", "Vary: A\r\n", "Vary: A\r\n"},
	} {
		var out http1.Outgoing
		Merge(&out, &replyWith(t, "200", c.stored).Fields, &replyWith(t, "304", c.renewed).Fields)
		if got := string(out.Append(nil)); got != c.want+"\r\n" {
			t.Errorf("%q renewed by %q: %q, want %q", c.stored, c.renewed, got, c.want)
		}
	}
}

func TestRenew(t *testing.T) {
	r := rulesOf(t)
	old := r.Describe(replyWith(t, "200", dated+"Cache-Control: max-age=1\r\nContent-Length: 3\r\n"), Times{noon, noon})
	head := replyWith(t, "200", "Date: Fri, 15 Jan 2027 08:01:40 GMT\r\nCache-Control: max-age=600\r\n")
	if o := r.Renew(&old, head, true, false, Times{noon + 101, noon + 101}); o.Timestamp != noon+100 || o.Expires != noon+700 || o.Length != 3 || o.Status != 200 {
		t.Errorf("renewed: %+v", o)
	}
	// A 304 without Date counts from when it came.
	if o := r.Renew(&old, head, false, false, Times{noon + 200, noon + 200}); o.Timestamp != noon+200 || o.Expires != noon+800 {
		t.Errorf("renewed without a date: %+v", o)
	}
}

func TestAfterRefresh(t *testing.T) {
	r := rulesOf(t)
	rule := r.Of(nil)
	stored := replyWith(t, "200", dated+"Cache-Control: max-age=1\r\nLast-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\nETag: \"e\"\r\n")
	must := replyWith(t, "200", dated+"Cache-Control: max-age=1, must-revalidate\r\nETag: \"e\"\r\n")
	for _, c := range []struct {
		name, request  string
		stored         *http1.Reply
		status, answer string // "" for no answer
		outcome        Outcome
		tag            Tag
		ok             bool
	}{
		{"304", "", stored, "304", "", ServeRenewed, TagRefreshHit, true},
		{"304, same tag", "", stored, "304", "ETag: \"e\"\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, weak tag", "", stored, "304", "ETag: W/\"x\"\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, other tag", "", stored, "304", "ETag: \"x\"\r\n", Again, TagRefreshMiss, true},
		{"304, the client's tag", "If-None-Match: \"x\"\r\n", stored, "304", "ETag: \"x\"\r\n", PassOther, TagRefreshMiss, true},
		{"304, client has it", "If-None-Match: \"e\"\r\n", stored, "304", "ETag: \"e\"\r\n", PassNotModified, TagRefreshHit, true},
		{"304, client has it by date", "If-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT\r\n", stored, "304", "", PassNotModified, TagRefreshHit, true},
		{"304, changed later", "", stored, "304", "Last-Modified: Fri, 15 Jan 2027 08:00:01 GMT\r\n", Again, TagRefreshMiss, true},
		{"304, changed before the reply was made", "", stored, "304", "Last-Modified: Fri, 15 Jan 2027 07:00:01 GMT\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, changed later, weak tag", "", stored, "304", "ETag: W/\"e\"\r\nLast-Modified: Fri, 15 Jan 2027 08:00:01 GMT\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, changed before", "", stored, "304", "Last-Modified: Fri, 15 Jan 2027 06:59:59 GMT\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, changed later than is known", "", must, "304", "Last-Modified: Fri, 15 Jan 2027 06:59:59 GMT\r\n", ServeRenewed, TagRefreshHit, true},
		{"304, client has an older one", "If-Modified-Since: Fri, 15 Jan 2027 06:00:00 GMT\r\n", stored, "304", "", ServeRenewed, TagRefreshHit, true},
		{"200", "", stored, "200", "", Replace, TagRefreshMiss, true},
		{"404", "", stored, "404", "", Replace, TagRefreshMiss, true},
		{"500", "", stored, "500", "", ServeOld, TagRefreshHit, true},
		{"500, must-revalidate", "", must, "500", "", Replace, TagRefreshMiss, true},
		{"unreachable", "", stored, "", "", ServeOld, TagRefreshHit, true},
		{"unreachable, must-revalidate", "", must, "", "", ServeOld, TagRefreshHit, false},
	} {
		req := requestWith(t, "GET", c.request)
		q := r.ReadRequest(req, false, Port{})
		o := r.Describe(c.stored, Times{noon, noon})
		var rep *http1.Reply
		if c.status != "" {
			rep = replyWith(t, c.status, c.answer)
		}
		outcome, tag, ok := r.AfterRefresh(rule, &q, &req.Fields, &c.stored.Fields, &o, rep, noon+10)
		if outcome != c.outcome || tag != c.tag || ok != c.ok {
			t.Errorf("%s: %d %s %v, want %d %s %v", c.name, outcome, tag, ok, c.outcome, c.tag, c.ok)
		}
	}
}

func TestRevalidation(t *testing.T) {
	const modified = "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n"
	for _, c := range []struct{ request, stored, want string }{
		{"", modified + "ETag: \"e\"\r\n", "If-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT\r\nIf-None-Match: \"e\"\r\n"},
		{"", "ETag: W/\"e\"\r\n", "If-None-Match: W/\"e\"\r\n"},
		{"", "ETag: e\r\nLast-Modified: yesterday\r\n", ""},
		{"If-None-Match: \"e\"\r\n", "ETag: \"e\"\r\n", "If-None-Match: \"e\"\r\n"},
		{"If-None-Match: \"x\"\r\n", "ETag: \"e\"\r\n", "If-None-Match: \"x\", \"e\"\r\n"},
		{"If-None-Match: \"x\"\r\nIf-None-Match: \"e\"\r\n", "ETag: \"e\"\r\n", "If-None-Match: \"x\", \"e\"\r\n"},
		{"If-None-Match: *\r\n", "ETag: \"e\"\r\n", "If-None-Match: \"e\"\r\n"},
	} {
		var out http1.Outgoing
		stored := replyWith(t, "200", c.stored)
		r := rulesOf(t)
		o := r.Describe(stored, Times{noon, noon})
		r.Revalidation(&out, &requestWith(t, "GET", c.request).Fields, &stored.Fields, &o)
		if got := string(out.Append(nil)); got != c.want+"\r\n" {
			t.Errorf("%q of %q: %q, want %q", c.request, c.stored, got, c.want)
		}
	}
}

func TestRangeHolds(t *testing.T) {
	const made = "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n"
	for _, c := range []struct {
		condition, stored string
		want              bool
	}{
		{"", "", true},
		{`"e"`, dated + "ETag: \"e\"\r\n", true},
		{`"x"`, dated + "ETag: \"e\"\r\n", false},
		{`W/"e"`, dated + "ETag: W/\"e\"\r\n", false},
		{"Fri, 15 Jan 2027 07:00:00 GMT", dated + made, true},
		{"Fri, 15 Jan 2027 07:00:01 GMT", dated + made, false},
		{"Fri, 15 Jan 2027 08:00:00 GMT", dated + "Last-Modified: Fri, 15 Jan 2027 08:00:00 GMT\r\n", false},
		{"yesterday", dated + made, false},
	} {
		fields := ""
		if c.condition != "" {
			fields = "If-Range: " + c.condition + "\r\n"
		}
		if got := RangeHolds(&requestWith(t, "GET", fields).Fields, &replyWith(t, "200", c.stored).Fields); got != c.want {
			t.Errorf("%s of %q: %v", c.condition, c.stored, got)
		}
	}
}

func TestInvalidates(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		want   bool
	}{
		{"POST", 200, true}, {"POST", 201, true}, {"POST", 303, true}, {"POST", 404, false}, {"POST", 500, false},
		{"PUT", 200, true}, {"PUT", 403, false}, {"PUT", 410, true}, {"LOCK", 404, false}, {"MOVE", 404, true}, {"PUT", 404, true}, {"PUT", 500, false}, {"DELETE", 204, true}, {"LOCK", 200, true},
		{"GET", 200, false}, {"HEAD", 200, false}, {"OPTIONS", 200, false}, {"PROPFIND", 207, false}, {"TRACE", 200, false},
	} {
		var methods *http1.Methods
		if got := Invalidates(methods.Lookup([]byte(c.method)), c.status); got != c.want {
			t.Errorf("%s answered %d: %v", c.method, c.status, got)
		}
	}
}

func TestSamePlace(t *testing.T) {
	const url = "http://o.test:81/dir/a?q"
	for _, c := range []struct{ location, want string }{
		{"http://o.test:81/b", "http://o.test:81/b"}, {"HTTP://O.test:81/b?x", "http://o.test:81/b?x"}, {"http://o.test:81", "http://o.test:81/"},
		{"/b", "http://o.test:81/b"}, {"b", "http://o.test:81/dir/b"}, {"?z", "http://o.test:81/dir/a?z"}, {"/b#f", "http://o.test:81/b"},
		{"http://o.test/b", ""}, {"http://other.test/b", ""}, {"https://o.test:81/b", ""}, {"//o.test:81/b", ""}, {"mailto:x", ""}, {"", ""}, {"#f", ""},
	} {
		place, ok := SamePlace(nil, []byte(url), []byte(c.location))
		if ok != (c.want != "") || ok && string(place) != c.want {
			t.Errorf("%q: %q %v, want %q", c.location, place, ok, c.want)
		}
	}
}

func FuzzSamePlace(f *testing.F) {
	f.Add([]byte("http://o.test/dir/a?q"), []byte("../b"))
	f.Add([]byte("http://o.test"), []byte("b"))
	f.Add([]byte("http://o.test/"), []byte("?"))
	f.Fuzz(func(t *testing.T, url, location []byte) {
		place, ok := SamePlace(nil, url, location)
		if root := authorityEnd(url); ok && !strings.HasPrefix(string(place), string(url[:root])) {
			t.Fatalf("%q from %q: %q", location, url, place)
		}
	})
}
