package http1

import (
	"strings"
	"testing"
)

var defaults = URLOptions{CheckHostnames: true, AllowUnderscore: true}

// What 2.6 makes of a URL: its canonical form, or "" when it is refused
// (recordings in badreq and forward, and questions to the reference).
func TestURLCanonical(t *testing.T) {
	for _, c := range []struct{ method, url, want string }{
		{"GET", "http://o.test/a", "http://o.test/a"},
		{"GET", "http://o.test", "http://o.test"},
		{"GET", "http://127.0.0.1:81?x=1", "http://127.0.0.1:81"},
		{"GET", "http://o.test?x=1", ""},
		{"GET", "HTTP://O.Test:80/A", "http://o.test/A"},
		{"GET", "http://o.test.:8080/a", "http://o.test:8080/a"},
		{"GET", "http://o.test:/a", "http://o.test/a"},
		{"GET", "http://o.test:8080x/a", "http://o.test:8080/a"},
		{"GET", "http://o.test:+8080/a", "http://o.test:8080/a"},
		{"GET", "http://o.test: 8080/a", "http://o.test:8080/a"},
		{"GET", "http://o.test:0080/a", "http://o.test/a"},
		{"GET", "http://o.test:0/a", ""},
		{"GET", "http://o.test:-1/a", ""},
		{"GET", "http://o.test:99999/a", ""},
		{"GET", "http://o.test:99999999999999999999/a", ""},
		{"GET", "http://o.test:x/a", ""},
		{"GET", "http://o.test:80:81/a", ""},
		{"GET", "http:///a", ""},
		{"GET", "http://:80/a", "http:///a"},
		{"GET", "http://.o.test/a", ""},
		{"GET", "http://o..test/a", ""},
		{"GET", "http://[::1]:80/a", ""},
		{"GET", "http://[2001:DB8::0:2]/a", "http://[2001:db8::2]/a"},
		{"GET", "http://[2001:db8::2]:/a", "http://[2001:db8::2]/a"},
		{"GET", "http://u@[2001:db8::2]:8080/a", "http://u@[2001:db8::2]:8080/a"},
		{"CONNECT", "[2001:db8::2]:443", "[2001:db8::2]:443"},
		{"CONNECT", "[2001:db8::2]", "[2001:db8::2]:443"},
		{"CONNECT", "[::1]:443", ""},
		{"GET", "http://[2001:db8::2]8080/a", ""},
		{"GET", "http://[2001:db8::2]:0/a", ""},
		{"GET", "http://[2001:db8::2/a", ""},
		{"GET", "http://[2001:db8::2%25eth0]/a", ""},
		{"GET", "http://[::]/a", ""},
		{"GET", "http://[fe80::1]/a", ""},
		{"GET", "http://[ff02::1]/a", ""},
		{"GET", "http://[::ffff:127.0.0.1]/a", ""},
		{"GET", "http://[127.0.0.1]/a", ""},
		{"GET", "http://[]/a", ""},
		{"GET", "http://2001:db8::2/a", ""},
		{"GET", "http://a!b.test/", ""},
		{"GET", "http://%6f.test/", ""},
		{"GET", "http://\xe9.test/", ""},
		{"GET", "http://under_score.test/", "http://under_score.test/"},
		{"GET", "http://o .test/", "http://o.test/"},
		{"GET", "http://127.1/", "http://127.1/"},
		{"GET", "http://u:p@o.test/a", "http://u:p@o.test/a"},
		{"GET", "http://a@b:c@o.test/a", "http://a@b:c@o.test/a"},
		{"GET", "http://@o.test/a", "http://o.test/a"},
		{"GET", "http://a/b@o.test/a", "http://a/b@o.test/a"},
		{"GET", "http://o.test/a#f?q", "http://o.test/a#f?q"},
		{"GET", "http://o.test/../a/./b//c", "http://o.test/../a/./b//c"},
		{"GET", "http://o.test/a b\tc", "http://o.test/abc"},
		{"GET", "http://o.test/a\x01b\xe9", "http://o.test/a\x01b\xe9"},
		{"GET", "http://o.test/a\x00b", ""},
		{"GET", "http://o.test/a\rb", ""},
		{"GET", "http://o.test/a\nb", ""},
		{"GET", "mailto:x@y.test", ""},
		{"GET", "http:/o.test/a", ""},
		{"GET", "http//o.test/a", ""},
		{"GET", "://o.test/a", ""},
		{"GET", "http:http://o.test/a", ""},
		{"GET", "foo://o.test/a", ""},
		{"GET", "foo://o.test:80/a", "NONE://o.test:80/a"},
		{"GET", "file://o.test/a", "ftp://o.test/a"},
		{"GET", "ftp://o.test:21/a", "ftp://o.test/a"},
		{"GET", "https://o.test:443/a", "https://o.test/a"},
		{"GET", "urn:x:y", "urn:x:y"},
		{"GET", "URN:x:y", ""},
		{"GET", "cache_object://localhost/info", "cache_object://localhost/info"},
		{"GET", "*", ""},
		{"GET", "/a", ""},
		{"GET", "", ""},
		{"CONNECT", "o.test:443", "o.test:443"},
		{"CONNECT", "O.TEST:8443", "o.test:8443"},
		{"CONNECT", "o.test", "o.test:443"},
		{"CONNECT", "o.test:", "o.test:443"},
		{"CONNECT", "o.test:x", "o.test:443"},
		{"CONNECT", "o.test:80abc", "o.test:80"},
		{"CONNECT", "http://o.test/", "http:443"},
		{"CONNECT", "o.test:-5", ""},
		{"CONNECT", "o.test:0", ""},
		{"CONNECT", ":443", ""},
		{"CONNECT", "u@o.test:443", ""},
	} {
		var u URL
		got := ""
		if u.Parse((*Methods)(nil).Lookup([]byte(c.method)), []byte(c.url), &defaults) == NoFault {
			got = string(u.AppendCanonical(nil))
		}
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.method, c.url, got, c.want)
		}
	}
}

func TestURLWhitespace(t *testing.T) {
	for mode, want := range map[Whitespace]string{
		StripSpace: "/abc%20", AllowSpace: "/a b\tc%20", EncodeSpace: "/a%20b%09c%20", ChopSpace: "/a", DenySpace: "",
	} {
		o := defaults
		o.Whitespace = mode
		var u URL
		if u.Parse(GET, []byte("http://o.test/a b\tc%20"), &o); string(u.AppendTarget(nil)) != want && want != "" {
			t.Errorf("mode %d: %q, want %q", mode, u.Path, want)
		}
		if fault := u.Parse(GET, []byte("http://o.test/a b"), &o); (fault != NoFault) != (mode == DenySpace) {
			t.Errorf("mode %d: %v", mode, fault)
		}
		if fault := u.Parse(GET, []byte("http://o .test/"), &o); (fault != NoFault) != (mode != StripSpace) {
			t.Errorf("mode %d: blank in host: %v", mode, fault)
		}
	}
}

func TestURLHostOptions(t *testing.T) {
	for _, c := range []struct {
		o    URLOptions
		url  string
		want string
	}{
		{URLOptions{AppendDomain: ".Test"}, "http://u:p@o:81/x", "http://u:p@o.test:81/x"},
		{URLOptions{AppendDomain: ".test"}, "http://o.b/x", "http://o.b/x"},
		{URLOptions{AppendDomain: ".test"}, "http://:80/x", ""},
		{URLOptions{CheckHostnames: true}, "http://a_b/x", ""},
		{URLOptions{}, "http://a!_b/x", "http://a!_b/x"},
		{URLOptions{}, "http://a\x01b/x", ""},
		{URLOptions{}, "http://" + strings.Repeat("h", 256) + "/x", "http://" + strings.Repeat("h", 255) + "/x"},
		{URLOptions{}, "http://" + strings.Repeat("h", 255) + "/x", "http://" + strings.Repeat("h", 255) + "/x"},
		{URLOptions{}, "http://o/" + strings.Repeat("u", 4095-9), "http://o/" + strings.Repeat("u", 4095-9)},
		{URLOptions{}, "http://o/" + strings.Repeat("u", 4096-9), ""},
		{URLOptions{AppendDomain: ".d"}, "http://o/" + strings.Repeat("u", 4095-9), ""},
	} {
		var u URL
		got := ""
		if u.Parse(GET, []byte(c.url), &c.o) == NoFault {
			got = string(u.AppendCanonical(nil))
		}
		if got != c.want {
			t.Errorf("%+v %.60q: %.60q, want %.60q", c.o, c.url, got, c.want)
		}
	}
}

func TestURLForms(t *testing.T) {
	var u URL
	u.Parse(GET, []byte("http://u:p@O.test:81/a?b=c&d\x02"), &defaults)
	for what, got := range map[string]string{
		"http://u@o.test:81/a?":          string(u.AppendLogged(nil, true)),
		"-http://u@o.test:81/a?b=c&d%02": string(u.AppendLogged([]byte("-"), false)),
		"o.test:81":                      string(u.AppendAuthority(nil)),
		"/a?b=c&d\x02":                   string(u.AppendTarget(nil)),
		"http://x/%01%20%7E":             string(AppendLoggedText(nil, []byte("http://x/\x01 ~"))),
		"http://x/%80%FF%20":             string(AppendLoggedText(nil, []byte("http://x/\x80\xff "))),
		"http://x/\xa0\xff~":             string(AppendLoggedText(nil, []byte("http://x/\xa0\xff~"))),
		"http://x/ ~":                    string(AppendLoggedText(nil, []byte("http://x/ ~"))),
		"u:p":                            string(u.Userinfo),
		"%3C%3E%22%23%7B%7D%7C%5C%5E%7E%5B%5D%60%27%20%00%7F%80%FF%a": string(AppendEscaped(nil, []byte("<>\"#{}|\\^~[]`' \x00\x7f\x80\xff%a"))),
	} {
		if got != what {
			t.Errorf("%q, want %q", got, what)
		}
	}
	u.Parse(GET, []byte("http://:p@o.test"), &defaults)
	if got := string(u.AppendLogged(nil, true)); got != "http://@o.test" {
		t.Errorf("password alone: %q", got)
	}
	if got := string(u.AppendTarget(nil)); got != "/" {
		t.Errorf("empty path: %q", got)
	}
	u.Parse(CONNECT, []byte("O:443"), &defaults)
	if got := string(u.AppendLogged(nil, true)); got != "o:443" {
		t.Errorf("tunnel: %q", got)
	}
}

func TestSchemes(t *testing.T) {
	for s := SchemeHTTP; s < numSchemes; s++ {
		if LookupScheme([]byte(strings.ToUpper(s.String()))) != s {
			t.Errorf("%s is not found", s)
		}
	}
	for _, c := range []struct {
		s    Scheme
		m    Method
		want bool
	}{
		{SchemeHTTP, POST, true}, {SchemeHTTPS, GET, false}, {SchemeHTTPS, CONNECT, true}, {SchemeFTP, PUT, true},
		{SchemeFTP, DELETE, false}, {SchemeGopher, HEAD, true}, {SchemeGopher, POST, false}, {NoScheme, GET, false},
		{NoScheme, TRACE, true}, {SchemeURN, POST, true}, {SchemeWhois, POST, false}, {SchemeCacheObject, GET, true},
	} {
		if c.s.Serves(c.m) != c.want {
			t.Errorf("%s %s: %v", (*Methods)(nil).Text(c.m), c.s, !c.want)
		}
	}
}
