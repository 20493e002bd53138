package errpage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// folder makes an error_directory.
func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A template directory may be incomplete: what it has is taken from it, the
// rest from the program, and each page gets exactly one signature.
func TestIncompleteDirectory(t *testing.T) {
	dir := folder(t, map[string]string{
		"ERR_DNS_FAIL":     "<p>dns %H",
		"ERR_CONNECT_FAIL": "<p>%s has no connection",
		"ERR_READ_ERROR":   "",
		"ERR_TOO_BIG":      "<p>%S<p>%S",
		"ERR_UNKNOWN":      "nobody asks for it",
	})
	s, err := Load(&conf.ErrorPageSettings{ErrorDirectory: dir}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	f := denied(t, "GET http://o.test/ HTTP/1.0\r\n\r\n")
	f.Host = "o.test"
	signature := "\n<hr>\n<address>proxy.test, Tue, 14 Nov 2023 22:13:20 GMT (squid/2.6.CUTTLE)</address>\n</body></html>\n"
	for name, want := range map[Name]string{
		DNSFail:       "<p>dns o.test" + signature,
		ConnectFail:   "<p>squid/2.6.CUTTLE has no connection",
		ReadError:     signature,
		TooBig:        "<p>" + signature + "<p>" + signature + signature,
		"ERR_UNKNOWN": string(s.Page(AccessDenied).Append(nil, f)),
	} {
		if got := string(s.Page(name).Append(nil, f)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := string(s.Page(ZeroSizeObject).Append(nil, f)); !strings.Contains(got, "Empty answer") {
		t.Errorf("the built-in page is %q", got)
	}
}

// What cannot be read is said at start, with its name, and not when somebody
// needs the page.
func TestUnreadableTemplate(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "ERR_DNS_FAIL"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(&conf.ErrorPageSettings{ErrorDirectory: dir}, testEnv); err == nil || !strings.Contains(err.Error(), "ERR_DNS_FAIL") {
		t.Errorf("error %v", err)
	}
	cfg := &conf.ErrorPageSettings{DenyInfo: []conf.DenyInfo{{Page: "ERR_ONE"}, {Page: "ERR_TWO"}, {Page: "http://o.test/"}, {Page: "ERR_TOO_BIG"}, {Page: "TCP_RESET"}}}
	_, err := Load(cfg, testEnv)
	if err == nil || !strings.Contains(err.Error(), "ERR_ONE") || !strings.Contains(err.Error(), "ERR_TWO") || strings.Count(err.Error(), "deny_info") != 2 {
		t.Errorf("error %v", err)
	}
}

// A template that is too large is cut, not held.
func TestTemplateIsBounded(t *testing.T) {
	dir := folder(t, map[string]string{"ERR_MINE": "%s" + strings.Repeat("x", 2*maxTemplate)})
	s, err := Load(&conf.ErrorPageSettings{ErrorDirectory: dir, DenyInfo: []conf.DenyInfo{{Page: "ERR_MINE"}}}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Page("ERR_MINE").Append(nil, &Details{})); n != maxTemplate-len("%s")+len(testEnv.Product) {
		t.Errorf("%d bytes", n)
	}
}

// The first line of squid.conf that names the ACL counts, except that a
// challenge passes over redirections.
func TestDenyInfoChoice(t *testing.T) {
	dir := folder(t, map[string]string{"ERR_A": "a%s", "ERR_B": "b%s"})
	s, err := Load(&conf.ErrorPageSettings{ErrorDirectory: dir, DenyInfo: []conf.DenyInfo{
		{Page: "http://o.test/", ACLs: []string{"one", "two"}},
		{Page: "ERR_A", ACLs: []string{"two"}},
		{Page: "ERR_B", ACLs: []string{"two", "three"}},
		{Page: "TCP_RESET", ACLs: []string{"reset"}},
	}}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		acl      string
		redirect bool
		want     Name
	}{
		{"one", true, "http://o.test/"}, {"one", false, ""}, {"two", true, "http://o.test/"}, {"two", false, "ERR_A"},
		{"three", true, "ERR_B"}, {"reset", true, Reset}, {"four", true, ""}, {"", true, ""}, {"ON", true, ""},
	} {
		if got, ok := s.DenyInfo(c.acl, c.redirect); got != c.want || ok != (c.want != "") {
			t.Errorf("%q, redirect %v: %q %v, want %q", c.acl, c.redirect, got, ok, c.want)
		}
	}
	if p := s.Page(Reset); !p.IsReset() || len(p.Append(nil, &Details{})) != 0 || p.Status(403) != 403 {
		t.Error("TCP_RESET has a body or a status of its own")
	}
}

// The head of an error, in 2.6's order; the number behind the name is errno.
func TestReplyHead(t *testing.T) {
	s, err := Load(&conf.ErrorPageSettings{}, Env{Product: "squid/2.6.CUTTLE", Server: "squid", Hostname: "proxy.test"})
	if err != nil {
		t.Fatal(err)
	}
	f := denied(t, "GET http://o.test/ HTTP/1.0\r\n\r\n")
	f.Errno = 111
	var out http1.Outgoing
	s.Page(ConnectFail).Reply(&out, f, 503, 1234)
	want := "Server: squid\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: text/html\r\nContent-Length: 1234\r\n" +
		"Expires: Tue, 14 Nov 2023 22:13:20 GMT\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n"
	if got := string(out.Append(nil)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The URL of a redirection is a format with the denied URL as its only value,
// escaped so that it stays one parameter.
func TestRedirectionFormat(t *testing.T) {
	f := denied(t, "GET http://o.test/a%0d%0aX:b?c=d&e=%25#g HTTP/1.0\r\n\r\n")
	f.CanonicalURL = []byte("http://o.test/a%0d%0aX:b?c=\r\n d\"<>")
	escaped := "http%3A%2F%2Fo.test%2Fa%250d%250aX%3Ab%3Fc%3D%0D%0A%20d%22%3C%3E"
	for url, want := range map[string]string{
		"http://e.test/":              "http://e.test/",
		"http://e.test/?%s":           "http://e.test/?" + escaped,
		"http://e.test/?%s&%s":        "http://e.test/?" + escaped + "&" + escaped,
		"http://e.test/100%%?%s":      "http://e.test/100%?" + escaped,
		"http://e.test/%%s":           "http://e.test/%s",
		"http://e.test/%":             "http://e.test/%",
		"http://e.test/%20%n%d%u":     "http://e.test/%20%n%d%u",
		"http://e.test/%%%s":          "http://e.test/%" + escaped,
		"mailto:%s":                   "mailto:" + escaped,
		"http://e.test/long?" + "%s%": "http://e.test/long?" + escaped + "%",
	} {
		p := &Page{Name: Name(url), redirect: true}
		if got := string(p.appendLocation(nil, f)); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// The status codes 2.6 answers with (area errors).
func TestStatusOfEachPage(t *testing.T) {
	want := map[Name]int{
		InvalidRequest: 400, InvalidURL: 400, ManagerDenied: 401, AccessDenied: 403, ForwardingDenied: 403, FTPForbidden: 403,
		URNResolve: 404, FTPNotFound: 404, CacheAccessDenied: 407, LifetimeExpired: 408, TooBig: 413, SocketFailure: 500,
		UnsupportedRequest: 501, ReadError: 502, WriteError: 502, ZeroSizeObject: 502, FTPFailure: 502, FTPPutError: 502, InvalidReply: 502,
		ShuttingDown: 503, ConnectFail: 503, DNSFail: 503, CannotForward: 503, NoRelay: 503, FTPDisabled: 503, FTPUnavailable: 503,
		ReadTimeout: 504, OnlyIfCachedMiss: 504, FTPPutCreated: 201, FTPPutModified: 200,
	}
	if len(want) != len(builtins) {
		t.Errorf("%d pages, %d in the table", len(builtins), len(want))
	}
	for _, b := range builtins {
		if got := b.name.Status(); got != want[b.name] {
			t.Errorf("%s: %d, want %d", b.name, got, want[b.name])
		}
	}
	if Name("ERR_MINE").Status() != 403 {
		t.Error("an operator's own page is not 403")
	}
}
