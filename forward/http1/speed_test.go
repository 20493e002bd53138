package http1

import (
	"testing"
	"time"
)

const browserRequest = "GET http://www.example.test/images/logo.png?v=17 HTTP/1.1\r\n" +
	"Host: www.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0\r\n" +
	"Accept: image/avif,image/webp,*/*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\n" +
	"Referer: http://www.example.test/\r\nCookie: session=0123456789abcdef; theme=dark\r\nX-Requested-With: x\r\n" +
	"Cache-Control: max-age=0\r\nConnection: keep-alive\r\n\r\n"

const originReply = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Apache\r\n" +
	"Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT\r\nETag: \"abc\"\r\nAccept-Ranges: bytes\r\nContent-Length: 1024\r\n" +
	"Cache-Control: max-age=60\r\nKeep-Alive: timeout=5\r\nConnection: Keep-Alive\r\nContent-Type: image/png\r\n\r\n"

// engine is what one connection keeps between messages.
type engine struct {
	req  Request
	rep  Reply
	url  URL
	out  Outgoing
	wire []byte
	date DateCache
}

var engineOptions = Options{Relaxed: true, HTTP11: true}

func (e *engine) request(b []byte) bool {
	e.req.Reset()
	if _, state := e.req.Parse(b, &engineOptions); state != Complete {
		return false
	}
	if e.url.Parse(e.req.Method, e.req.Target, &defaults) != NoFault {
		return false
	}
	_, fault := e.req.Body(&engineOptions)
	e.req.Persistent(e.req.Major, e.req.Minor, true)
	return fault == NoFault
}

// requestInSteps is request for a head that comes in small pieces.
func (e *engine) requestInSteps(b []byte) bool {
	e.req.Reset()
	for end := 1; end < len(b); end += 7 {
		if _, state := e.req.Parse(b[:end], &engineOptions); state != NeedMore {
			return false
		}
	}
	_, state := e.req.Parse(b, &engineOptions)
	return state == Complete
}

func (e *engine) writeRequest() {
	e.out.Reset()
	f := &e.req.Fields
	for i := range f.Len() {
		switch id := f.ID(i); {
		case hopByHop(id), f.ConnectionLists(f.Key(i)), id == Via, id == CacheControlName:
		case id == Host:
			e.out.Set(e.url.AppendAuthority(e.out.Pieces())).End(Host)
		default:
			e.out.Copy(f, i)
		}
	}
	e.out.List(f, Via).Int(1).Text(".").Int(1).Text(" proxy.test:3128 (squid/x)").End(Via)
	e.out.List(f, XForwardedFor).Text("10.1.2.3").End(XForwardedFor)
	cc := f.CacheControl()
	e.out.Set(cc.Append(e.out.Pieces())).End(CacheControlName)
	e.out.AddString(Connection, "keep-alive")
	e.wire = append(append(e.wire[:0], e.req.MethodText...), ' ')
	e.wire = e.out.Append(append(e.url.AppendTarget(e.wire), " HTTP/1.0\r\n"...))
}

func (e *engine) reply(b []byte) bool {
	e.rep.Reset()
	if _, state := e.rep.Parse(b, false, &engineOptions); state != Complete {
		return false
	}
	_, fault := e.rep.Body(GET)
	e.rep.Persistent(e.rep.Major, e.rep.Minor, true)
	ParseDate(e.rep.Get(Date))
	return fault == NoFault
}

func (e *engine) writeReply(now time.Time) {
	e.out.Reset()
	for i := range e.rep.Len() {
		if !hopByHop(e.rep.ID(i)) {
			e.out.Copy(&e.rep.Fields, i)
		}
	}
	e.out.Set(e.date.Append(e.out.Pieces(), now)).End(Expires)
	e.out.Text("MISS from ").Text("proxy.test").End(XCache)
	e.wire = e.out.Append(AppendStatusLine(e.wire[:0], 0, e.rep.Status))
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var e engine
	request, reply := []byte(browserRequest), []byte(originReply)
	folded := []byte("GET http://o/ HTTP/1.1\r\nX: a\r\n b\r\nY: c\rd\r\n\r\n")
	chunks := []byte("5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n")
	now := time.Unix(1700000000, 0)
	line := make([]byte, 0, 4096)
	old := []byte("GET http://o/a HTTP/1.0\r\nUser-Agent: x\r\nPragma: no-cache\r\nProxy-Connection: Keep-Alive\r\n\r\n")
	oldReply := []byte("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nLast-Modified: Sat, 05 Nov 1994 08:49:37 GMT\r\n\r\n")
	tunnel := []byte("CONNECT o:443 HTTP/1.1\r\nHost: o:443\r\n\r\n")
	for name, f := range map[string]func(){
		"parse a request":          func() { e.request(request) },
		"write a request":          func() { e.request(request); e.writeRequest() },
		"parse a reply":            func() { e.reply(reply) },
		"write a reply":            func() { e.reply(reply); e.writeReply(now) },
		"parse a 1.0 request":      func() { e.request(old) },
		"write a 1.0 request":      func() { e.request(old); e.writeRequest() },
		"parse a 1.0 reply":        func() { e.reply(oldReply) },
		"write a 1.0 reply":        func() { e.reply(oldReply); e.writeReply(now) },
		"parse a CONNECT":          func() { e.request(tunnel) },
		"parse byte by byte":       func() { e.requestInSteps(request) },
		"encode chunks":            func() { line = append(append(AppendChunkSize(line[:0], 4096), ChunkEnd...), LastChunk...) },
		"repair a request":         func() { e.request(folded) },
		"look up by name":          func() { line, _ = e.req.AppendNamed(line[:0], "x-requested-with") },
		"URL for the log":          func() { line = e.url.AppendLogged(line[:0], true) },
		"decode chunks":            func() { c := Chunked{}; c.Next(chunks); c.Next(chunks[12:]) },
		"rebuild of Cache-Control": func() { cc := e.req.CacheControl(); line = cc.Append(line[:0]) },
	} {
		f() // storage grows once
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if !e.request(request) || !e.request(old) || !e.requestInSteps(request) || !e.request(tunnel) || !e.reply(reply) || !e.reply(oldReply) {
		t.Error("the messages measured are not understood")
	}
}

func BenchmarkParseRequest(b *testing.B) {
	var e engine
	in := []byte(browserRequest)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		e.request(in)
	}
}

func BenchmarkWriteRequest(b *testing.B) {
	var e engine
	e.request([]byte(browserRequest))
	b.ReportAllocs()
	for b.Loop() {
		e.writeRequest()
	}
}

func BenchmarkParseReply(b *testing.B) {
	var e engine
	in := []byte(originReply)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		e.reply(in)
	}
}

func BenchmarkWriteReply(b *testing.B) {
	var e engine
	e.reply([]byte(originReply))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		e.writeReply(now)
	}
}

func BenchmarkChunked(b *testing.B) {
	wire := AppendChunkSize(nil, 4096)
	wire = append(append(wire, make([]byte, 4096)...), ChunkEnd...)
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	var c Chunked
	for b.Loop() {
		for rest := wire; len(rest) > 0; {
			_, n, err := c.Next(rest)
			if err != nil {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
}
