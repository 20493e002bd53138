package http1

import (
	"fmt"
	"strings"
	"testing"
)

var relaxed = &Options{Relaxed: true}
var strict = &Options{}

// parseRequest parses a whole head.
func parseRequest(t testing.TB, text string, o *Options) (*Request, State) {
	t.Helper()
	r := &Request{}
	r.Reset()
	n, state := r.Parse([]byte(text), o)
	if state == Complete && n > len(text) {
		t.Fatalf("%q: %d bytes used of %d", text, n, len(text))
	}
	return r, state
}

// The expectations are what Squid 2.6 made of these lines (recordings in the
// areas badreq, forward and http1, and questions to the reference).
func TestRequestLine(t *testing.T) {
	for _, c := range []struct {
		line    string
		fault   Fault
		method  string
		target  string
		version string
	}{
		{"GET http://o/a HTTP/1.0", NoFault, "GET", "http://o/a", "1.0"},
		{"get http://o/a HTTP/1.1", NoFault, "GET", "http://o/a", "1.1"},
		{"pRoPfInd http://o/a HTTP/1.1", NoFault, "PROPFIND", "http://o/a", "1.1"},
		{"GET   http://o/a   HTTP/1.0", NoFault, "GET", "http://o/a  ", "1.0"},
		{"GET\thttp://o/a\tHTTP/1.0", NoFault, "GET", "http://o/a", "1.0"},
		{"GET http://o/a HTTP/1.0  ", NoFault, "GET", "http://o/a", "1.0"},
		{"GET http://o/a b c HTTP/1.0", NoFault, "GET", "http://o/a b c", "1.0"},
		{"GET http://o/a", NoFault, "GET", "http://o/a", "0.9"},
		{"GET http://o/a FOO/1.0", NoFault, "GET", "http://o/a FOO/1.0", "0.9"},
		{"GET http://o/a HTTP/1. 1", NoFault, "GET", "http://o/a HTTP/1. 1", "0.9"},
		{"GET http://o/aHTTP/1.0", NoFault, "GET", "http://o/aHTTP/1.0", "0.9"},
		{"GET http://o/a http/1.1", NoFault, "GET", "http://o/a", "1.1"},
		{"GET http://o/a HTTP/0.8", NoFault, "GET", "http://o/a", "0.8"},
		{"GET http://o/a HTTP/9.9", NoFault, "GET", "http://o/a", "9.9"},
		{"GET http://o/a HTTP/1.1junk", NoFault, "GET", "http://o/a", "1.1"},
		{"GET http://o/a HTTP/1.00000000000000000001", NoFault, "GET", "http://o/a", "1.1"},
		{"CONNECT o:443 HTTP/1.0", NoFault, "CONNECT", "o:443", "1.0"},
		{"OPTIONS * HTTP/1.0", NoFault, "OPTIONS", "*", "1.0"},
		{"GET ", MissingURL, "GET", "", "0.9"},
		{"GET \r", NoFault, "GET", "", "0.9"},
		{"GET  ", NoFault, "GET", "", "0.9"},
		{"GET HTTP/1.0", MissingURL, "GET", "", "1.0"},
		{"GET  HTTP/1.0", NoFault, "GET", "", "1.0"},
		{"GET", UnsupportedMethod, "NONE", "", "0.9"},
		{"hello world", UnsupportedMethod, "NONE", "", "0.9"},
		{"hello", UnsupportedMethod, "NONE", "", "0.9"},
		{"HTTP/1.0", UnsupportedMethod, "NONE", "", "0.9"},
		{"NONE http://o/ HTTP/1.0", UnsupportedMethod, "NONE", "", "1.0"},
		{"%EXT00 http://o/ HTTP/1.0", UnsupportedMethod, "NONE", "", "1.0"},
		{"GET\vhttp://o/ HTTP/1.0", UnsupportedMethod, "NONE", "", "1.0"},
		{"GET http://o/a HTTP/1", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a HTTP/1.", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a HTTP/x.y", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a HTTP/", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a HTTP/-1.1", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a HTTP/99999999999.1", InvalidVersion, "NONE", "", "0.0"},
		{"GET http://o/a\rb HTTP/1.0", InvalidURL, "GET", "http://o/a\rb", "1.0"},
		{"GET http://o/a\x00b HTTP/1.0", InvalidURL, "GET", "http://o/a\x00b", "1.0"},
		{"CONNECT o:443", InvalidRequest, "CONNECT", "o:443", "0.9"},
	} {
		for _, end := range []string{"\r\n\r\n", "\n\n"} {
			if end[0] == '\r' && (strings.HasSuffix(c.line, "\r") || c.line == "GET ") {
				continue // the CR is what the case is about
			}
			r, state := parseRequest(t, c.line+end, relaxed)
			if r.Fault != c.fault || (state == Complete) != (c.fault == NoFault) {
				t.Errorf("%q%q: state %d, fault %q, want %q", c.line, end, state, r.Fault, c.fault)
				continue
			}
			version := fmt.Sprintf("%d.%d", r.Major, r.Minor)
			if r.MethodText != c.method || string(r.Target) != c.target || version != c.version {
				t.Errorf("%q%q: %s %q %s, want %s %q %s", c.line, end, r.MethodText, r.Target, version, c.method, c.target, c.version)
			}
		}
	}
}

func TestRequestWithoutVersionEndsWithItsLine(t *testing.T) {
	r := &Request{}
	r.Reset()
	n, state := r.Parse([]byte("GET http://o/a\r\nHost: x\r\n"), relaxed)
	if state != Complete || n != len("GET http://o/a\r\n") || r.Len() != 0 {
		t.Errorf("n %d, state %d, %d fields", n, state, r.Len())
	}
}

// A head may arrive in any pieces; the outcome is the same.
func TestRequestInPieces(t *testing.T) {
	text := "POST http://o/a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\nContent-Length: 3\r\n\r\nabc"
	want := len(text) - len("abc")
	for cut := range len(text) {
		r := &Request{}
		r.Reset()
		n, state := r.Parse([]byte(text[:cut]), relaxed)
		if cut < want && state != NeedMore {
			t.Fatalf("complete after %d bytes", cut)
		}
		if cut < want {
			n, state = r.Parse([]byte(text), relaxed)
		}
		if state != Complete || n != want || r.Len() != 3 || r.ContentLength() != 3 {
			t.Fatalf("cut at %d: n %d, state %d, %d fields", cut, n, state, r.Len())
		}
	}
	r := &Request{}
	r.Reset()
	for i := 1; ; i++ {
		if n, state := r.Parse([]byte(text[:i]), relaxed); state == Complete {
			if n != want || i != want {
				t.Errorf("byte by byte: n %d after %d bytes", n, i)
			}
			return
		}
	}
}

func TestRequestLimits(t *testing.T) {
	o := &Options{Relaxed: true, MaxHead: 100}
	head := func(size int) string {
		base := "GET http://o/ HTTP/1.0\r\nX: \r\n\r\n"
		return strings.Replace(base, "X: ", "X: "+strings.Repeat("h", size-len(base)), 1)
	}
	if r, state := parseRequest(t, head(99), o); state != Complete {
		t.Errorf("99 bytes: %v", r.Fault)
	}
	if r, _ := parseRequest(t, head(100), o); r.Fault != HeadTooLarge {
		t.Errorf("100 bytes: %v", r.Fault)
	}
	if _, state := parseRequest(t, head(200)[:99], o); state != NeedMore {
		t.Errorf("99 of 200 bytes: state %d", state)
	}
	if r, _ := parseRequest(t, head(200)[:100], o); r.Fault != HeadEndless {
		t.Errorf("100 of 200 bytes: %v", r.Fault)
	}
	if r, _ := parseRequest(t, strings.Repeat("x", 100), o); r.Fault != HeadEndless {
		t.Errorf("a line without end: %v", r.Fault)
	}
	many := "GET http://o/ HTTP/1.0\r\n" + strings.Repeat("A:\r\n", maxFields+1) + "\r\n"
	if r, _ := parseRequest(t, many, &Options{Relaxed: true, MaxHead: 1 << 20}); r.Fault != InvalidFields {
		t.Errorf("%d fields: %v", maxFields+1, r.Fault)
	}
}

func TestRequestIsReusable(t *testing.T) {
	r := &Request{}
	for _, text := range []string{
		"POST http://o/a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\nContent-Length: 3\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"hello\r\n",
		"GET http://p/ HTTP/1.0\r\nVia: q\r\n\r\n",
	} {
		r.Reset()
		r.Parse([]byte(text), relaxed)
	}
	if r.Fault != NoFault || r.Has(Host) || r.ContentLength() != -1 || string(r.Get(Via)) != "q" || r.Folded {
		t.Errorf("traces of earlier requests: %+v", r)
	}
}

func TestExtensionMethods(t *testing.T) {
	m := NewMethods([]string{"Frob", "GET", "Frob", ""})
	o := &Options{Methods: m}
	r, state := parseRequest(t, "fROB http://o/ HTTP/1.0\r\n\r\n", o)
	if state != Complete || r.MethodText != "Frob" || m.Text(r.Method) != "Frob" {
		t.Errorf("%v %q", r.Fault, r.MethodText)
	}
	var many []string
	for i := range 2 * MaxExtensionMethods {
		many = append(many, fmt.Sprintf("M%d", i))
	}
	if got := len(NewMethods(many).extensions); got != MaxExtensionMethods {
		t.Errorf("%d extension methods", got)
	}
	for i := GET; i < firstExtension; i++ {
		if got := m.Lookup([]byte(strings.ToLower(m.Text(i)))); got != i {
			t.Errorf("%s is %d, want %d", m.Text(i), got, i)
		}
	}
}
