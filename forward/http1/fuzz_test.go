package http1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
)

// seeds are heads and bodies that once mattered somewhere.
var seeds = []string{
	"GET http://o/a HTTP/1.0\r\n\r\n",
	"\r\nGET http://o/a b HTTP/1.1\r\nHost: o\r\nX-A: b\r\n c\r\n\r\nrest",
	"POST http://u:p@o:81/a HTTP/1.1\r\nContent-Length : 3\r\nConnection: X-A, Content-Length\r\nX-A: 1\r\n\r\nabc",
	"POST http://o/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
	"POST http://o/ HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 03\r\n\r\nabc",
	"GET http://o/ HTTP/1.1\r\nX: a\rb\r\r\nBad Name: x\r\nContent\x01-Length: 3\r\n: y\r\n\r\n",
	"CONNECT o:443 HTTP/1.1\r\nHost: o\r\n\r\n",
	"GET http://o/\n\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"HTTP/1.0 304 x\nVia: 1.0 a,\n\t1.1 b\nCache-Control: max-age=\"5\", foo\n\n",
	"garbage",
}

// rewrite writes the fields of a head the way forward does.
func rewrite(start []byte, f *Fields) []byte {
	var o Outgoing
	for i := range f.Len() {
		if !hopByHop(f.ID(i)) && !f.ConnectionLists(f.Key(i)) {
			o.Copy(f, i)
		}
	}
	o.List(f, Via).Text("1.1 me").End(Via)
	return o.Append(start)
}

// checkWritten reads what was written with the strict parser and compares it
// with the fields it came from.
func checkWritten(t *testing.T, wire []byte, f *Fields) strictHead {
	h, err := readStrict(wire)
	if err != nil {
		t.Fatalf("%v\nin %q", err, wire)
	}
	var want [][2]string
	for i := range f.Len() {
		if !hopByHop(f.ID(i)) && !f.ConnectionLists(f.Key(i)) {
			want = append(want, [2]string{string(f.Key(i)), strings.Trim(string(f.Value(i)), " \t")})
		}
	}
	if len(h.fields) != len(want)+1 {
		t.Fatalf("%d fields became %d: %q", len(want), len(h.fields), wire)
	}
	for i := range want {
		if h.fields[i] != want[i] {
			t.Fatalf("field %d: %q became %q", i, want[i], h.fields[i])
		}
	}
	return h
}

func FuzzRequest(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, relaxedMode bool) {
		b = b[SkipSpace(b):]
		o := &Options{Relaxed: relaxedMode, HTTP11: true, MaxHead: 4096}
		original := bytes.Clone(b)
		var r, pieces Request
		r.Reset()
		n, state := r.Parse(b, o)
		if !bytes.Equal(b, original) {
			t.Fatal("the caller's bytes were changed")
		}
		pieces.Reset()
		at := NeedMore
		for i := 1; i <= len(b) && at == NeedMore; i++ {
			_, at = pieces.Parse(b[:i:i], o)
		}
		if state == Complete && (at != Complete || lines(&pieces.Fields) != lines(&r.Fields) || !bytes.Equal(pieces.Target, r.Target)) {
			t.Fatalf("whole: %q, in pieces: state %d %v %q", lines(&r.Fields), at, pieces.Fault, lines(&pieces.Fields))
		}
		if state != Complete {
			return
		}
		if n > len(b) || n == 0 {
			t.Fatalf("%d of %d bytes used", n, len(b))
		}
		body, fault := r.Body(o)
		var u URL
		if u.Parse(r.Method, r.Target, &defaults) != NoFault || fault != NoFault {
			return
		}
		target := u.AppendTarget(nil)
		wire := rewrite(AppendRequestLine(nil, r.MethodText, target, 1), &r.Fields)
		checkWritten(t, wire, &r.Fields)
		// What another parser takes the body for must be what we took it for.
		other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err == nil && body.Framing == ByLength && other.ContentLength != body.Length {
			t.Fatalf("we see %d bytes of body, net/http %d: %q", body.Length, other.ContentLength, wire)
		}
		if err == nil && body.Framing == NoBody && (other.ContentLength > 0 || len(other.TransferEncoding) > 0) {
			t.Fatalf("we see no body, net/http %d bytes: %q", other.ContentLength, wire)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), true, true)
		f.Add([]byte(s), false, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, relaxedMode, eof bool) {
		o := &Options{Relaxed: relaxedMode, MaxHead: 4096}
		var r Reply
		r.Reset()
		n, state := r.Parse(b, eof, o)
		if state != Complete {
			return
		}
		if n > len(b) || r.Status < 0 || r.Status > 999 {
			t.Fatalf("%d of %d bytes, status %d", n, len(b), r.Status)
		}
		body, fault := r.Body(GET)
		if fault != NoFault {
			return
		}
		if body.Framing != ByLength && r.ContentLength() > 0 && !r.bodiless(GET) {
			t.Fatalf("a length of %d stays with framing %d", r.ContentLength(), body.Framing)
		}
		wire := rewrite(AppendStatusLine(nil, 1, r.Status), &r.Fields)
		checkWritten(t, wire, &r.Fields)
		other, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(wire)), nil)
		if err == nil && body.Framing == ByLength && other.ContentLength != body.Length {
			t.Fatalf("we see %d bytes of body, net/http %d: %q", body.Length, other.ContentLength, wire)
		}
	})
}

func FuzzChunked(f *testing.F) {
	for _, s := range []string{"5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nrest", "2\nhi\n0\n\n", "ffffffffffffffff\r\n", "0\r\n\r\n", "a ;\"\r\n"} {
		f.Add([]byte(s), 1, false)
		f.Add([]byte(s), 7, true)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece int, relaxedMode bool) {
		whole, rest, done, err := decode(&Chunked{Relaxed: relaxedMode}, string(b), max(1, len(b)))
		if piece > 0 {
			cut, cutRest, cutDone, cutErr := decode(&Chunked{Relaxed: relaxedMode}, string(b), piece)
			if cut != whole || cutDone != done || (cutErr == nil) != (err == nil) || done && cutRest != rest {
				t.Fatalf("whole %q %v %v, in pieces of %d %q %v %v", whole, done, err, piece, cut, cutDone, cutErr)
			}
		}
		if err != nil || !done {
			return
		}
		other, otherErr := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b)))
		if otherErr == nil && string(other) != whole {
			t.Fatalf("we read %q, net/http %q", whole, other)
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"http://u:p@O.test:81/a b?c#d", "o.test:443", "urn:x", "http://:80/", "foo://x:1/", "http://a.b./\x01\xff", "ftp://x/%20"} {
		f.Add([]byte(s), false, byte(0), true, "")
		f.Add([]byte(s), true, byte(3), false, ".d")
	}
	f.Add([]byte("\f["), true, byte(StripSpace), false, "")
	f.Fuzz(func(t *testing.T, b []byte, connect bool, space byte, check bool, domain string) {
		if domain != "" && (domain[0] != '.' || !allAre([]byte(domain), isHostChar)) {
			return // no append_domain looks like that
		}
		o := &URLOptions{Whitespace: Whitespace(space % 5), CheckHostnames: check, AppendDomain: domain}
		method := GET
		if connect {
			method = CONNECT
		}
		var u, again URL
		if u.Parse(method, b, o) != NoFault {
			return
		}
		if anyIs(u.Host, isSpace|isControl) {
			t.Fatalf("host %q", u.Host)
		}
		canonical := u.AppendCanonical(nil)
		if anyOf(canonical, 0, '\r', '\n') {
			t.Fatalf("%q can end a line", canonical)
		}
		if anyIs(u.AppendLogged(nil, true), isControl) {
			t.Fatalf("%q is logged with a control character", canonical)
		}
		if len(u.Host) == 0 && u.Scheme != SchemeURN || len(canonical)+len(domain) > maxURL {
			return // "http:///" is not read again
		}
		o.AppendDomain = "" // it was appended already
		if fault := again.Parse(method, canonical, o); fault != NoFault {
			t.Fatalf("%q became %q, which is refused", b, canonical)
		}
		if second := again.AppendCanonical(nil); !bytes.Equal(second, canonical) {
			t.Fatalf("%q became %q and then %q", b, canonical, second)
		}
	})
}
