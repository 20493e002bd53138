package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/judge"
	"pgregory.net/rapid"
)

// message is what a request or reply means, and one way of writing it that a
// forgiving reader takes for that.
type message struct {
	start  string
	fields []judge.Field
	body   string
	wire   string
}

// Names of fields that pass through in both directions.
var passingNames = []string{"Accept", "Content-Type", "Cookie", "ETag", "If-None-Match", "Last-Modified", "Location", "Range", "Referer",
	"Set-Cookie", "User-Agent", "Vary", "X-Own", "x-own", "Own_Name", "a", "!#$%&'*+-.^_`|~9"}

var (
	drawName  = rapid.SampledFrom(passingNames)
	drawWord  = rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019 ,;:=\"'()<>@[]{}?/\\\t-~")), 0, 30, -1)
	drawOdd   = rapid.SampledFrom([]string{"", "", "", "", "", "", "\xe9\xff\x80", "\x01\x1f\x7f", "0\x0b\x0c0", "Content-Length: 5", "HTTP/1.1 200 OK", "close, X-Own"})
	drawBlank = rapid.SampledFrom([]string{"", "", " ", "\t", "  \t "})
	drawEnd   = rapid.SampledFrom([]string{"\r\n", "\r\n", "\r\n", "\n"})
	drawBody  = rapid.OneOf(rapid.Just(""), rapid.Just("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), rapid.Just("0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
		rapid.StringOfN(rapid.RuneFrom([]rune("ab\r\n0;: ")), 0, 200, -1), rapid.Map(rapid.IntRange(1, 70000), func(n int) string { return strings.Repeat("x", n) }))
)

// drawFields adds fields in sloppy spellings.
func (m *message) drawFields(t *rapid.T) {
	for range rapid.IntRange(0, 8).Draw(t, "fields") {
		name := drawName.Draw(t, "name")
		value := drawWord.Draw(t, "value") + drawOdd.Draw(t, "odd")
		written := value
		if cut := strings.IndexByte(value, ' '); cut > 0 && strings.Trim(value[cut:], " \t\v\f") != "" && strings.Trim(value[:cut], " \t\v\f") != "" && rapid.Bool().Draw(t, "fold") {
			written = value[:cut] + "\r\n" + value[cut:] // becomes two blanks
			value = value[:cut] + "  " + value[cut:]
		}
		m.wire += name + drawBlank.Draw(t, "before") + ":" + drawBlank.Draw(t, "behind") + written + drawBlank.Draw(t, "trailing") + drawEnd.Draw(t, "end")
		m.fields = append(m.fields, judge.Field{Name: name, Value: strings.Trim(value, " \t\v\f")})
		if rapid.IntRange(0, 9).Draw(t, "junk") == 0 {
			m.wire += rapid.SampledFrom([]string{"nonsense\r\n", ": x\r\n", "Bad Name: x\r\n", "X\x80: y\r\n"}).Draw(t, "which")
		}
	}
}

// drawFramed adds a body with a length or in chunks.
func (m *message) drawFramed(t *rapid.T, body string, chunked bool) {
	m.body = body
	if !chunked {
		m.wire += fmt.Sprintf("cOntent-Length:%s%d\r\n\r\n%s", drawBlank.Draw(t, "blank"), len(body), body)
		return
	}
	m.wire += "Transfer-Encoding: Chunked\r\n\r\n"
	for len(body) > 0 {
		n := rapid.IntRange(1, len(body)).Draw(t, "chunk")
		size := fmt.Sprintf(rapid.SampledFrom([]string{"%x", "%X", "00%x"}).Draw(t, "size"), n)
		m.wire += size + rapid.SampledFrom([]string{"", ";a=b", " ;a=\"b;c\""}).Draw(t, "extension") + "\r\n" + body[:n] + "\r\n"
		body = body[n:]
	}
	m.wire += "0\r\n" + rapid.SampledFrom([]string{"", "X-Trailer: a\r\n", "Content-Length: 99\r\n"}).Draw(t, "trailer") + "\r\n"
}

// compareFields tells how the fields received differ from those sent; added names
// may be there too, and nothing else.
func (m *message) compareFields(got []judge.Field, added ...string) string {
	next := 0
	for _, f := range got {
		switch {
		case next < len(m.fields) && strings.EqualFold(f.Name, m.fields[next].Name) && f.Value == m.fields[next].Value:
			next++
		case !slices.Contains(added, f.Name):
			return fmt.Sprintf("%q: %q was not sent", f.Name, f.Value)
		}
	}
	if next < len(m.fields) {
		return fmt.Sprintf("%q was lost", m.fields[next])
	}
	return ""
}

// agrees reports whether net/http reads the same header, where it reads the
// message at all: control characters are not for it.
func agrees(h http.Header, fields []judge.Field) bool {
	for name := range h {
		var values []string
		for _, f := range fields {
			if http.CanonicalHeaderKey(f.Name) == name {
				values = append(values, f.Value)
			}
		}
		if !slices.Equal(h[name], values) {
			return false
		}
	}
	return true
}

// TestPassedOnIsTheSame: any message we forward, however it is written, is the
// same message to a reader by the letter and to net/http: start line, end-to-end
// fields in their order, body. Requests and replies, both versions.
func TestPassedOnIsTheSame(t *testing.T) {
	for mode, edit := range modes {
		t.Run(mode, func(t *testing.T) {
			var answer atomic.Pointer[message]
			received := make(chan []byte, 10)
			origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
				var raw bytes.Buffer
				if _, err := judge.ReadRequest(bufio.NewReader(io.TeeReader(r, &raw))); err != nil {
					t.Errorf("%v in %q", err, raw.Bytes())
				}
				received <- raw.Bytes()
				io.WriteString(c, answer.Load().wire)
			})
			r := start(t, nil, edit)
			rapid.Check(t, func(rt *rapid.T) {
				method := rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "PROPFIND", "OPTIONS", "HEAD"}).Draw(rt, "method")
				path := "/" + rapid.StringOfN(rapid.RuneFrom([]rune("abz019/?&=%#;:@,.-_~!*'()+$[]|\"\x01\x7f")), 0, 40, -1).Draw(rt, "path")
				q, p := &message{start: method + " " + path}, &message{}
				q.wire = fmt.Sprintf("%s http://%s%s HTTP/1.1\r\nHost: a\r\n", method, origin, path)
				q.drawFields(rt)
				if method == "GET" || method == "HEAD" || rapid.Bool().Draw(rt, "bodiless") {
					q.wire += "\r\n"
				} else {
					q.drawFramed(rt, drawBody.Draw(rt, "body"), mode == "1.1" && rapid.Bool().Draw(rt, "chunked"))
				}
				status := rapid.SampledFrom([]int{200, 201, 204, 206, 301, 304, 403, 404, 500, 503}).Draw(rt, "status")
				p.start = fmt.Sprint(status)
				p.wire = fmt.Sprintf("HTTP/1.%d %d Whatever\r\n", rapid.IntRange(0, 1).Draw(rt, "minor"), status)
				p.drawFields(rt)
				body := drawBody.Draw(rt, "body of the reply")
				switch how := rapid.IntRange(0, 2).Draw(rt, "framing"); {
				case method == "HEAD" || status == 204 || status == 304:
					p.wire += "\r\n"
				case how == 0:
					p.wire, p.body = p.wire+"\r\n"+body, body
				default:
					p.drawFramed(rt, body, how == 1)
				}
				answer.Store(p)
				c := r.dial()
				defer c.Close()
				go io.WriteString(c, q.wire)
				var told bytes.Buffer
				got, err := judge.ReadReply(bufio.NewReader(io.TeeReader(c, &told)), method)
				if err != nil {
					rt.Fatalf("%v in %q", err, told.Bytes())
				}
				q.checkRequest(rt, <-received)
				p.checkReply(rt, got, method, told.Bytes())
			})
		})
	}
}

func (m *message) checkRequest(t *rapid.T, raw []byte) {
	q, err := judge.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if q.Method+" "+q.Target != m.start || string(q.Body) != m.body {
		t.Fatalf("%s with %d bytes became %s %s with %d", m.start, len(m.body), q.Method, q.Target, len(q.Body))
	}
	if fault := m.compareFields(q.Fields, "Via", "X-Forwarded-For", "Host", "Cache-Control", "Connection", "Content-Length", "Transfer-Encoding"); fault != "" {
		t.Fatalf("%s in %q", fault, raw)
	}
	if other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw))); err == nil {
		body, err := io.ReadAll(other.Body)
		if err != nil || string(body) != m.body || other.Method+" "+other.RequestURI != m.start || !agrees(other.Header, q.Fields) {
			t.Fatalf("net/http reads %s %s with %d bytes and %q from %q", other.Method, other.RequestURI, len(body), other.Header, raw)
		}
	}
}

func (m *message) checkReply(t *rapid.T, p *judge.Reply, method string, raw []byte) {
	if fmt.Sprint(p.Status) != m.start || string(p.Body) != m.body {
		t.Fatalf("%s with %d bytes became %d with %d", m.start, len(m.body), p.Status, len(p.Body))
	}
	if fault := m.compareFields(p.Fields, "X-Cache", "X-Cache-Lookup", "Via", "Proxy-Connection", "Connection", "Content-Length", "Transfer-Encoding"); fault != "" {
		t.Fatalf("%s in %q", fault, raw)
	}
	if other, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), &http.Request{Method: method}); err == nil {
		body, err := io.ReadAll(other.Body)
		if err != nil || string(body) != m.body || other.StatusCode != p.Status || !agrees(other.Header, p.Fields) {
			t.Fatalf("net/http reads %d with %d bytes and %q from %q", other.StatusCode, len(body), other.Header, raw)
		}
	}
}
