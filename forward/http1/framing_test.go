package http1

import "testing"

var http11 = &Options{Relaxed: true, HTTP11: true}

// The known ways to make two parsers see two messages where one was sent, and
// the harmless neighbours of each. want is the fault, or the framing.
func TestRequestFraming(t *testing.T) {
	post := func(fields string) string { return "POST http://o/ HTTP/1.1\r\nHost: o\r\n" + fields + "\r\n" }
	for _, c := range []struct {
		name  string
		text  string
		old   Fault // with HTTP/1.0 rules
		fault Fault // with HTTP/1.1 rules
		want  Body  // with HTTP/1.1 rules
	}{
		{"no body", post(""), NoFault, NoFault, Body{NoBody, 0}},
		{"length", post("Content-Length: 3\r\n"), NoFault, NoFault, Body{ByLength, 3}},
		{"length zero", post("Content-Length: 0\r\n"), NoFault, NoFault, Body{NoBody, 0}},
		{"chunked", post("Transfer-Encoding: chunked\r\n"), UnsupportedCoding, NoFault, Body{ByChunks, -1}},
		{"chunked, other spelling", post("transfer-encoding: ChUnKeD\r\n"), UnsupportedCoding, NoFault, Body{ByChunks, -1}},
		{"chunked, blank before colon", post("Transfer-Encoding : chunked\r\n"), UnsupportedCoding, NoFault, Body{ByChunks, -1}},
		{"CL.TE", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), UnsupportedCoding, AmbiguousFraming, Body{}},
		{"TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), UnsupportedCoding, AmbiguousFraming, Body{}},
		{"TE.TE", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"TE.TE other", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"identity", post("Transfer-Encoding: identity\r\nContent-Length: 3\r\n"), UnsupportedCoding, AmbiguousFraming, Body{}},
		{"xchunked", post("Transfer-Encoding: xchunked\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"quoted chunked", post("Transfer-Encoding: \"chunked\"\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"chunked with vertical tab", post("Transfer-Encoding: \vchunked\r\n"), UnsupportedCoding, NoFault, Body{ByChunks, -1}},
		{"chunked with parameter", post("Transfer-Encoding: chunked;q=1\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"empty coding", post("Transfer-Encoding:\r\n"), UnsupportedCoding, UnsupportedCoding, Body{}},
		{"coding in 1.0", "POST http://o/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", UnsupportedCoding, AmbiguousFraming, Body{}},
		{"GET with length", "GET http://o/ HTTP/1.1\r\nContent-Length: 39\r\n\r\n", UnexpectedBody, UnexpectedBody, Body{}},
		{"HEAD with chunks", "HEAD http://o/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", UnsupportedCoding, UnexpectedBody, Body{}},
		{"GET with length zero", "GET http://o/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n", NoFault, NoFault, Body{NoBody, 0}},
		{"fields of HTTP/0.8 are no fields", "POST http://o/ HTTP/0.8\r\nContent-Length: 9\r\n\r\n", NoFault, NoFault, Body{NoBody, 0}},
	} {
		r, state := parseRequest(t, c.text, relaxed)
		if state != Complete {
			t.Errorf("%s: %v", c.name, r.Fault)
			continue
		}
		if _, fault := r.Body(relaxed); fault != c.old {
			t.Errorf("%s, 1.0 rules: %v, want %v", c.name, fault, c.old)
		}
		if body, fault := r.Body(http11); fault != c.fault || body != c.want {
			t.Errorf("%s, 1.1 rules: %v %v, want %v %v", c.name, body, fault, c.want, c.fault)
		}
	}
	r, _ := parseRequest(t, "GET http://o/ HTTP/1.0\r\nContent-Length: 3\r\n\r\n", relaxed)
	if body, fault := r.Body(&Options{RequestEntities: true}); fault != NoFault || body != (Body{ByLength, 3}) {
		t.Errorf("request_entities: %v %v", body, fault)
	}
}

func TestReplyFraming(t *testing.T) {
	for _, c := range []struct {
		name   string
		method Method
		text   string
		fault  Fault // of Parse or Body
		want   Body
		length string // Content-Length that stays in the fields
	}{
		{"length", GET, "HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"empty", GET, "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n", NoFault, Body{NoBody, 0}, "0"},
		{"until close", GET, "HTTP/1.1 200 x\r\n\r\n", NoFault, Body{UntilClose, -1}, ""},
		{"no head", GET, "hello", NoFault, Body{UntilClose, -1}, ""},
		{"head of 0.9 still has a length", GET, "HTTP/0.9 200 x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"HEAD", HEAD, "HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{NoBody, 0}, "3"},
		{"204", GET, "HTTP/1.1 204 x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{NoBody, 0}, "3"},
		{"304", GET, "HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{NoBody, 0}, "3"},
		{"101", GET, "HTTP/1.1 101 x\r\n\r\n", NoFault, Body{NoBody, 0}, ""},
		{"chunked", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding: Chunked\r\n\r\n", NoFault, Body{ByChunks, -1}, ""},
		{"chunked from a 1.0 origin", GET, "HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", NoFault, Body{ByChunks, -1}, ""},
		{"chunked and length", GET, "HTTP/1.1 200 x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", NoFault, Body{ByChunks, -1}, ""},
		{"chunked HEAD", HEAD, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", NoFault, Body{NoBody, 0}, ""},
		{"gzip, chunked", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", InvalidReply, Body{}, ""},
		{"identity", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding: identity\r\nContent-Length: 3\r\n\r\n", InvalidReply, Body{}, ""},
		{"chunked twice", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", InvalidReply, Body{}, ""},
		{"empty coding", GET, "HTTP/1.1 200 x\r\nTransfer-Encoding:\r\nContent-Length: 3\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"differing lengths", GET, "HTTP/1.1 200 x\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"differing lengths 2", GET, "HTTP/1.1 200 x\r\nContent-Length: 2\r\nContent-Length: 3\r\nContent-Length: 1\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"equal lengths", GET, "HTTP/1.1 200 x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"length that is none", GET, "HTTP/1.1 200 x\r\nContent-Length: abc\r\n\r\n", NoFault, Body{UntilClose, -1}, ""},
		{"negative length", GET, "HTTP/1.1 200 x\r\nContent-Length: -1\r\n\r\n", NoFault, Body{UntilClose, -1}, ""},
		{"length none and good", GET, "HTTP/1.1 200 x\r\nContent-Length: x\r\nContent-Length: 3\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"length good and none", GET, "HTTP/1.1 200 x\r\nContent-Length: 3\r\nContent-Length: x\r\n\r\n", NoFault, Body{ByLength, 3}, "3"},
		{"folded length", GET, "HTTP/1.1 200 x\r\nContent-Length:\r\n 3\r\n\r\n", NoFault, Body{UntilClose, -1}, ""},
	} {
		r, _, state := parseReply(t, c.text, relaxed)
		body, fault := Body{}, r.Fault
		if state == Complete {
			body, fault = r.Body(c.method)
		}
		if fault != c.fault || body != c.want {
			t.Errorf("%s: %v %v, want %v %v", c.name, body, fault, c.want, c.fault)
		}
		if n := r.Count(ContentLength); n > 1 {
			t.Errorf("%s: %d lengths stay", c.name, n)
		}
		if got := string(r.Get(ContentLength)); fault == NoFault && got != c.length {
			t.Errorf("%s: Content-Length %q stays, want %q", c.name, got, c.length)
		}
	}
}

func TestOriginWithTwoLengthsIsNotUsedAgain(t *testing.T) {
	fields := "HTTP/1.1 200 x\r\nConnection: keep-alive\r\nContent-Length: 3\r\nContent-Length: "
	for second, want := range map[string]bool{"3": true, "4": false, "2": false, "x": false} {
		r, _, _ := parseReply(t, fields+second+"\r\n\r\n", relaxed)
		if got := r.Persistent(r.Major, r.Minor, false); got != want {
			t.Errorf("3 and %s: persistent %v", second, got)
		}
	}
}

func TestPersistent(t *testing.T) {
	for _, c := range []struct {
		version, fields string
		old, new        bool
	}{
		{"1.0", "", false, false},
		{"1.1", "", false, true},
		{"1.0", "Connection: Keep-Alive\r\n", true, true},
		{"1.1", "Connection: close\r\n", false, false},
		{"1.1", "Connection: keep-alive, close\r\n", false, false},
		{"1.0", "Proxy-Connection: keep-alive\r\nConnection: close\r\n", true, true},
		{"1.0", "Proxy-Connection: close\r\nConnection: keep-alive\r\n", false, false},
		{"1.1", "Proxy-Connection: keep-alive\r\nConnection: close\r\n", true, false},
		{"1.0", "Connection: x\r\nConnection: keep-alive\r\n", true, true},
		{"1.0", "Connection: keep-alive\r\nUser-Agent: Mozilla/3.01 (x)\r\n", false, false},
		{"1.0", "Connection: keep-alive\r\nUser-Agent: Mozilla/3.01 (x)\r\nVia: 1.0 y\r\n", true, true},
		{"1.0", "Connection: keep-alive\r\nUser-Agent: Mozilla/4.0\r\n", true, true},
	} {
		r, _ := parseRequest(t, "GET http://o/ HTTP/"+c.version+"\r\n"+c.fields+"\r\n", relaxed)
		if got := r.Persistent(r.Major, r.Minor, false); got != c.old {
			t.Errorf("%s %q with 1.0 rules: %v", c.version, c.fields, got)
		}
		if got := r.Persistent(r.Major, r.Minor, true); got != c.new {
			t.Errorf("%s %q with 1.1 rules: %v", c.version, c.fields, got)
		}
	}
}
