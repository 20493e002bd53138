package errpage

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// code is what a code becomes in a page about some facts.
func code(t *testing.T, cfg conf.ErrorPageSettings, code string, f *Details) string {
	t.Helper()
	s, err := Load(&cfg, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{Name: "ERR_MINE", set: s, template: cutCodes("[" + code + "]")}
	text := string(p.Append(nil, f))
	return strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
}

// Each code with a request that was understood, with one that was not, and with
// nothing known at all. The words in brackets are 2.6's, spelling included.
func TestEveryCode(t *testing.T) {
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.FixedZone("CET", 3600)
	cfg := conf.ErrorPageSettings{ErrHTMLText: "<b>call us</b>"}

	known := denied(t, "POST http://fred@o.test:8080/a%20b/?q=<x> HTTP/1.1\r\nCookie: \"c\"\r\n\r\n")
	known.Errno, known.Client, known.Host, known.User = syscall.ECONNREFUSED, netip.MustParseAddr("2001:db8::1"), "o.test", "fred"
	known.ResolverSays, known.ACLSays, known.AuthSays = "no such name", "go away", "who?"
	known.HasFTPExchange, known.FTPRequest, known.FTPReply = true, "RETR x", "550 no"
	known.FTPServerSays, known.FTPDirectory = "hello\nthere", "ftp://o.test/d/"
	known.LoggedURL = []byte("http://fred@o.test:8080/a%20b/?")
	garbled := &Details{Client: netip.MustParseAddr("10.0.0.1"), Now: known.Now, UnparsedURL: []byte("foo bar"), UnparsedHead: []byte("GET foo bar\r\n")}
	nothing := &Details{Now: known.Now}

	for _, c := range []struct{ code, known, garbled, nothing string }{
		{"%a", "fred", "-", "-"},
		{"%B", "ftp://o.test/d/", "[no URL]", "[no URL]"},
		{"%c", "ERR_MINE", "ERR_MINE", "ERR_MINE"},
		{"%e", "111", "0", "0"},
		{"%E", "(111) Connection refused", "[No Error]", "[No Error]"},
		{"%f", "RETR x", "nothing", "nothing"},
		{"%F", "550 no", "nothing", "nothing"},
		{"%g", "hello\nthere", "", ""},
		{"%h", "proxy.test", "proxy.test", "proxy.test"},
		{"%H", "o.test", "[unknown host]", "[unknown host]"},
		{"%i", "2001:db8::1", "10.0.0.1", ""},
		{"%I", "o.test", "[unknown]", "[unknown]"},
		{"%L", "<b>call us</b>", "<b>call us</b>", "<b>call us</b>"},
		{"%m", "who?", "[not available]", "[not available]"},
		{"%M", "POST", "[unkown method]", "[unkown method]"},
		{"%o", "go away", "[not available]", "[not available]"},
		{"%p", "8080", "[unknown port]", "[unknown port]"},
		{"%P", "http", "[unkown protocol]", "[unkown protocol]"},
		{"%R", "POST /a%20b/?q=&lt;x&gt; HTTP/1.1\nCookie: &quot;c&quot;\r\n", "GET foo bar\r\n", "[no request]"},
		{"%s", "squid/2.6.CUTTLE", "squid/2.6.CUTTLE", "squid/2.6.CUTTLE"},
		{"%t", "14/Nov/2023:23:13:20 +0100", "14/Nov/2023:23:13:20 +0100", "14/Nov/2023:23:13:20 +0100"},
		{"%T", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 GMT"},
		{"%u", "http://fred@o.test:8080/a%20b/?q=&lt;x&gt;", "foo bar", "[no URL]"},
		{"%U", "http://fred@o.test:8080/a%20b/?", "foo bar", "[no URL]"},
		{"%w", "webmaster", "webmaster", "webmaster"},
		{"%z", "no such name", "[unknown]", "[unknown]"},
		{"%%", "%", "%", "%"},
		{"%l%W", "", "", ""},
		{"%S", "\n<hr>\n<address>proxy.test, Tue, 14 Nov 2023 22:13:20 GMT (squid/2.6.CUTTLE)</address>\n</body></html>\n", "", ""},
		{"%Q", "%Q", "%Q", "%Q"},
		{"%", "%", "%", "%"},
		{"%\xff", "%\xff", "%\xff", "%\xff"},
	} {
		for _, f := range []struct {
			facts *Details
			want  string
		}{{known, c.known}, {garbled, c.garbled}, {nothing, c.nothing}} {
			if c.code == "%S" {
				f.want = c.known
			}
			if got := code(t, cfg, c.code, f.facts); got != f.want {
				t.Errorf("%s: %q, want %q", c.code, got, f.want)
			}
		}
	}
}

// A request whose URL made no sense still shows its request line.
func TestRequestWithoutURL(t *testing.T) {
	f := denied(t, "GET http://o.test/ HTTP/1.0\r\nA: b\r\n\r\n")
	f.URL, f.CanonicalURL, f.UnparsedURL = nil, nil, []byte("odd:<>")
	if got, want := code(t, conf.ErrorPageSettings{}, "%R", f), "GET http://o.test/ HTTP/1.0\nA: b\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := code(t, conf.ErrorPageSettings{}, "%u", f); got != "odd:&lt;&gt;" {
		t.Errorf("%q", got)
	}
}

// Codes in a value are text: an origin or a client cannot make the proxy say
// more than its template does.
func TestCodesInValuesAreText(t *testing.T) {
	f := denied(t, "GET http://o.test/%R%a%S HTTP/1.0\r\nAuthorization: secret\r\n\r\n")
	f.User, f.Host = "%R", "%L"
	s, err := Load(&conf.ErrorPageSettings{ErrHTMLText: "%a %S %L <i>"}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{set: s, template: cutCodes("%u|%a|%H|%L|%%a")}
	if got, want := string(p.Append(nil, f)), "http://o.test/%R%a%S|%R|%L|%a %S %L <i>|%a"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A megabyte of characters to be escaped makes a page of that size times the
// longest entity, in one go.
func TestHugeValues(t *testing.T) {
	huge := strings.Repeat(`"'<>&`, 200_000)
	s, err := Load(&conf.ErrorPageSettings{}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	p := &Page{set: s, template: cutCodes("<%a|%z>")}
	want := strings.Repeat("&quot;&#39;&lt;&gt;&amp;", 200_000)
	if got := string(p.Append(nil, &Details{User: huge, ResolverSays: huge})); got != "<"+want+"|"+want+">" {
		t.Errorf("%d bytes, want %d", len(got), 2*len(want)+3)
	}
}

func TestErrnoText(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.ETIMEDOUT:    "(110) Connection timed out",
		syscall.EHOSTUNREACH: "(113) No route to host",
		syscall.ENETUNREACH:  "(101) Network is unreachable",
		syscall.EPIPE:        "(32) Broken pipe",
		syscall.ECONNRESET:   "(104) Connection reset by peer",
		0:                    "[No Error]",
		9999:                 "(9999) Errno 9999",
	} {
		if got := string(appendErrno(nil, errno)); got != want {
			t.Errorf("%d: %q, want %q", errno, got, want)
		}
	}
}
