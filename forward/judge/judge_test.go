package judge

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

func read(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }

func TestRequests(t *testing.T) {
	for _, c := range []struct {
		text string
		body string
		good bool
	}{
		{"GET /a HTTP/1.0\r\n\r\n", "", true},
		{"GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "", true},
		{"POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabcGET", "abc", true},
		{"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789", true},
		{"GET /a HTTP/1.1\r\n\r\n", "", false},
		{"GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "", false},
		{"GET /a b HTTP/1.0\r\n\r\n", "", false},
		{"GET /a HTTP/2.0\r\n\r\n", "", false},
		{"GET /a HTTP/1.0\n\r\n", "", false},
		{"GET /a HTTP/1.0\r\nA: b\rc\r\n\r\n", "", false},
		{"GET /a HTTP/1.0\r\nA: b\r\n c\r\n\r\n", "", false},
		{"GET /a HTTP/1.0\r\nA : b\r\n\r\n", "", false},
		{"GET /a HTTP/1.0\r\nA\r\n\r\n", "", false},
		{"GET /a HTTP/1.0\r\nA: \x00\r\n\r\n", "", false},
		{"POST /a HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "", false},
		{"POST /a HTTP/1.0\r\nContent-Length: +3\r\n\r\nabc", "", false},
		{"POST /a HTTP/1.0\r\nContent-Length: \r\n\r\nabc", "", false},
		{"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", false},
		{"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "", false},
		{"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n", "", false},
		{"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", "", false},
		{"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n", "", false},
		{"POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nab", "ab", false},
	} {
		q, err := ReadRequest(read(c.text))
		if c.good != (err == nil) || c.good && string(q.Body) != c.body {
			t.Errorf("%q: %v, body %q", c.text, err, q.Body)
		}
	}
	if _, err := ReadRequest(read("")); err != io.EOF {
		t.Error(err)
	}
	for _, part := range []string{"G", "GET /a HTTP/1.0\r\n", "GET /a HTTP/1.0\r\nA: b", "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"} {
		if _, err := ReadRequest(read(part)); err != ErrPartial {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		method, text string
		body         string
		good, closes bool
	}{
		{"GET", "HTTP/1.0 200 OK\r\n\r\nrest", "rest", true, true},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP", "ok", true, false},
		{"GET", "HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nok", "ok", true, false},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "ok", true, true},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "", true, false},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "", true, false},
		{"GET", "HTTP/1.1 100 Continue\r\n\r\n", "", true, false},
		{"GET", "HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\nx", "", false, false},
		{"GET", "HTTP/1.1 200 OK\r\n\r\nrest", "", false, false},
		{"GET", "HTTP/1.1 2000 OK\r\n\r\n", "", false, false},
		{"GET", "HTTP/1.1   0 OK\r\n\r\n", "", false, false},
	} {
		p, err := ReadReply(read(c.text), c.method)
		if c.good != (err == nil) || c.good && (string(p.Body) != c.body || p.Closes() != c.closes) {
			t.Errorf("%q: %v, body %q, closes %v", c.text, err, p.Body, p.Closes())
		}
	}
}
