package errpage

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

var testEnv = Env{Product: "squid/2.6.CUTTLE", Server: "squid/2.6.CUTTLE", Hostname: "proxy.test", Administrator: "webmaster"}

// denied builds the facts of a denied request from its text.
func denied(t testing.TB, text string) *Details {
	t.Helper()
	r, u := &http1.Request{}, &http1.URL{}
	r.Reset()
	if _, state := r.Parse([]byte(text), &http1.Options{Relaxed: true}); state != http1.Complete {
		t.Fatalf("%q: %v", text, r.Fault)
	}
	if f := u.Parse(r.Method, r.Target, &http1.URLOptions{CheckHostnames: true}); f != http1.NoFault {
		t.Fatalf("%q: %v", text, f)
	}
	return &Details{
		Now: time.Unix(1700000000, 0), Client: netip.MustParseAddr("127.0.0.1"),
		Request: r, URL: u, LoggedURL: u.AppendLogged(nil, true), CanonicalURL: u.AppendCanonical(nil),
	}
}

// The expectation is what 2.6 made of this template (access/deny-info-template).
func TestTemplateCodes(t *testing.T) {
	dir := t.TempDir()
	template := "<p>mine U=[%U] u=[%u] M=[%M] B=[%B] c=[%c] e=[%e] E=[%E] H=[%H] h=[%h] i=[%i] L=[%L] P=[%P] p=[%p] z=[%z] o=[%o] R=[%R] g=[%g] m=[%m] a=[%a] w=[%w] %% Q=[%Q]%l%W</p>%s\n"
	if err := os.WriteFile(filepath.Join(dir, "ERR_MINE"), []byte(template), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := &conf.ErrorPageSettings{ErrorDirectory: dir, DenyInfo: []conf.DenyInfo{{Page: "ERR_MINE", ACLs: []string{"x"}}}}
	s, err := Load(cfg, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	name, ok := s.DenyInfo("x", true)
	if !ok || name != "ERR_MINE" {
		t.Fatalf("DenyInfo: %q %v", name, ok)
	}
	f := denied(t, "GET http://127.0.0.1:8080/bad?q=<1> HTTP/1.0\r\nX-A: <b>\r\n\r\n")
	want := "<p>mine U=[http://127.0.0.1:8080/bad?] u=[http://127.0.0.1:8080/bad?q=&lt;1&gt;] M=[GET] B=[] c=[ERR_MINE] e=[0] E=[[No Error]] H=[] h=[proxy.test] i=[127.0.0.1] L=[] P=[http] p=[8080] z=[[unknown]] o=[[not available]] R=[GET /bad?q=&lt;1&gt; HTTP/1.0\nX-A: &lt;b&gt;\r\n] g=[] m=[[not available]] a=[-] w=[webmaster] % Q=[%Q]</p>squid/2.6.CUTTLE\n"
	if got := string(s.Page(name).Append(nil, f)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRedirection(t *testing.T) {
	cfg := &conf.ErrorPageSettings{DenyInfo: []conf.DenyInfo{{Page: "http://other.test/denied?u=%s", ACLs: []string{"x"}}}}
	s, err := Load(cfg, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.DenyInfo("x", false); ok {
		t.Error("a redirection was offered where none is possible")
	}
	name, _ := s.DenyInfo("x", true)
	p, f := s.Page(name), denied(t, "GET http://127.0.0.1:8080/bad?q=1&r=2 HTTP/1.0\r\n\r\n")
	var out http1.Outgoing
	p.Reply(&out, f, 403, len(p.Append(nil, f)))
	want := "Server: squid/2.6.CUTTLE\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Type: text/html\r\nContent-Length: 0\r\n" +
		"Expires: Tue, 14 Nov 2023 22:13:20 GMT\r\nLocation: http://other.test/denied?u=http%3A%2F%2F127.0.0.1%3A8080%2Fbad%3Fq%3D1%26r%3D2\r\n" +
		"X-Squid-Error: 403 Access Denied\r\n\r\n"
	if got := string(out.Append(nil)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if p.Status(403) != 302 {
		t.Errorf("status %d", p.Status(403))
	}
}

func TestMissingOwnPageIsAnError(t *testing.T) {
	cfg := &conf.ErrorPageSettings{ErrorDirectory: t.TempDir(), DenyInfo: []conf.DenyInfo{{Page: "ERR_NO_SUCH_PAGE", ACLs: []string{"x"}}}}
	if _, err := Load(cfg, testEnv); err == nil || !strings.Contains(err.Error(), "ERR_NO_SUCH_PAGE") {
		t.Errorf("error %v", err)
	}
}

// No page reflects markup, whatever a client sends.
func TestNothingIsReflected(t *testing.T) {
	s, err := Load(&conf.ErrorPageSettings{}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	evil := `<script>'"&`
	f := denied(t, "GET http://o.test/"+evil+" HTTP/1.0\r\nX-A: "+evil+"\r\n\r\n")
	f.Host, f.User, f.ResolverSays, f.ACLSays, f.AuthSays = evil, evil, evil, evil, evil
	f.HasFTPExchange, f.FTPRequest, f.FTPReply, f.FTPServerSays, f.FTPDirectory = true, evil, evil, evil, evil
	for _, b := range builtins {
		if got := string(s.Page(b.name).Append(nil, f)); strings.Contains(got, "<script") || strings.Contains(got, `'"`) {
			t.Errorf("%s reflects markup: %s", b.name, got)
		}
	}
	f.Request, f.URL, f.UnparsedURL, f.UnparsedHead = nil, nil, []byte(evil), []byte(evil)
	for _, b := range builtins {
		if got := string(s.Page(b.name).Append(nil, f)); strings.Contains(got, "<script") || strings.Contains(got, `'"`) {
			t.Errorf("%s reflects markup: %s", b.name, got)
		}
	}
}

func TestEveryBuiltinHasASignatureAndHTML(t *testing.T) {
	s, err := Load(&conf.ErrorPageSettings{}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	f := denied(t, "GET http://o.test/ HTTP/1.0\r\n\r\n")
	for _, b := range builtins {
		got := string(s.Page(b.name).Append(nil, f))
		if !strings.Contains(got, "<html>") || !strings.HasSuffix(got, "</html>\n") || strings.Count(got, testEnv.Product) != 1 {
			t.Errorf("%s: %s", b.name, got)
		}
		if strings.Contains(got, "%") {
			t.Errorf("%s: unknown code in %s", b.name, got)
		}
	}
}

// What another release's package put into the default error_directory is passed
// over; from a directory that squid.conf names it is used.
func TestPagesOfLaterReleases(t *testing.T) {
	dir := t.TempDir()
	page := "<style>%l</style>later: %U %s"
	if err := os.WriteFile(filepath.Join(dir, string(DNSFail)), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, string(ReadError)), []byte("of 2.6: %U %s"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := builtInDirectory
	defer func() { builtInDirectory = old }()
	f := denied(t, "GET http://o.test/ HTTP/1.0\r\n\r\n")
	for _, byDefault := range []bool{false, true} {
		builtInDirectory = func() string { return "/nowhere" }
		if byDefault {
			builtInDirectory = func() string { return dir }
		}
		s, err := Load(&conf.ErrorPageSettings{ErrorDirectory: dir}, testEnv)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.Page(DNSFail).Append(nil, f)); strings.Contains(got, "later:") == byDefault {
			t.Errorf("by default %v: %s", byDefault, got)
		}
		if got := string(s.Page(ReadError).Append(nil, f)); !strings.Contains(got, "of 2.6:") {
			t.Errorf("by default %v: %s", byDefault, got)
		}
	}
}
