package external

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

// The test binary is the helper: it notes its questions in a file, and answers what
// stands in them behind "say/", else OK. "wait" in a question makes it wait for a file.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as-helper" {
		behave(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m)
}

func behave(file string) {
	note, _ := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Fprintln(note, in.Text())
		answer := "OK"
		if _, said, found := strings.Cut(in.Text(), "say/"); found {
			answer = helper.Unescape(helper.Unescape(said))
		}
		for strings.Contains(in.Text(), "wait") {
			if _, err := os.Stat(file + ".go"); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		fmt.Println(answer)
	}
}

// rig is one external_acl_type, its acl, and a clock.
type rig struct {
	*Types
	use   *conf.ExternalUse
	asked string
	clock time.Time
	pool  *helper.Pool
	t     testing.TB
}

// newRig takes the options and % codes of external_acl_type and the words of the acl line.
func newRig(t testing.TB, options, words string) *rig {
	t.Helper()
	self, _ := os.Executable()
	r := &rig{t: t, asked: filepath.Join(t.TempDir(), "asked"), clock: time.Unix(1e9, 0)}
	file := filepath.Join(t.TempDir(), "squid.conf")
	os.WriteFile(file, []byte(fmt.Sprintf("http_port 127.0.0.1:3128\nvisible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\nexternal_acl_type e %s %s as-helper %s\nacl theACL external e %s\n",
		options, self, r.asked, words)), 0o600)
	cfg, report := conf.Load(file, conf.Options{})
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	for _, a := range cfg.ACLs {
		if a.External != nil {
			r.use = a.External
		}
	}
	r.Types = New(cfg.ExternalACLTypes, func(o helper.Options) *helper.Pool {
		r.pool = helper.NewPool(o)
		return r.pool
	}, zap.NewNop(), func() time.Time { return r.clock })
	t.Cleanup(func() {
		r.pool.Kill()
		r.pool.Wait()
	})
	return r
}

// questions are what the helper was asked since the last call.
func (r *rig) questions() string {
	text, _ := os.ReadFile(r.asked)
	os.Truncate(r.asked, 0)
	return strings.TrimSuffix(string(text), "\n")
}

// host is a connection whose ident server knows its user.
type host struct{}

func (host) Ident(context.Context) string { return "ida" }
func (host) KnownIdent() (string, bool)   { return "", false }

func facts(t testing.TB, head string) *acl.Facts {
	t.Helper()
	var req http1.Request
	req.Reset()
	if _, state := req.Parse([]byte(head+"\r\n\r\n"), &http1.Options{}); state != http1.Complete {
		t.Fatalf("%q: %v", head, req.Fault)
	}
	url := new(http1.URL)
	if fault := url.Parse(req.Method, req.Target, &http1.URLOptions{}); fault != http1.NoFault {
		t.Fatalf("%q: %v", head, fault)
	}
	return &acl.Facts{Client: netip.MustParseAddr("192.0.2.1"), ClientPort: 4321, Local: netip.MustParseAddrPort("198.51.100.1:3128"),
		Method: req.Method, MethodText: req.MethodText, URL: url, Request: &req.Fields, Conn: host{}}
}

// What Squid 2.6.STABLE24 was seen to ask.
func TestQuestions(t *testing.T) {
	const head = "GET http://a.test:8080/p?q=%41 HTTP/1.0\r\nX-A: a b\"c\r\nX-L: a=1, b=2, c\r\nX-L: b=3\r\nCookie: a=1; b=\"x, y\"; c=2"
	for _, c := range []struct{ codes, words, want string }{
		{"%SRC", "", "192.0.2.1"},
		{"%SRC", "one two", "192.0.2.1 one two"},
		{"%SRC %DATA %METHOD", "a%b c?d e<f", "192.0.2.1 a%25b%20c?d%20e%3Cf GET"},
		{"%DATA %SRC", "", "- 192.0.2.1"},
		{"%DATA %SRC", "a b", " a%20b 192.0.2.1"},
		{"%ACL", "x", "theACL x"},
		{"%LOGIN %EXT_USER %IDENT", "", "bo%20b ext ida"},
		{"%SRCPORT %MYADDR %MYPORT", "", "4321 198.51.100.1 3128"},
		{"%DST %PROTO %PORT %PATH %METHOD", "", "a.test http 8080 /p?q=%2541 GET"},
		{"%{X-A} %{Nope} %{x-a}", "", "a%20b%22c - a%20b%22c"},
		{"%{X-L} %{X-L:b} %{X-L:;b} %{X-L:c}", "", "a=1,%20b=2,%20c,%20b=3 2 2 -"},
		{"%{Cookie:;a} %{Cookie:;b} %{Cookie:;c} %{Cookie:a}", "", "1 %22x,%20y%22 2 1;%20b=%22x,%20y%22;%20c=2"},
		{"protocol=2.5 %{X-A} %PATH", `x y\z c'd`, `"a b\"c" /p?q=%41 x y\\z c'd`},
	} {
		r := newRig(t, c.codes, c.words)
		r.Match(t.Context(), r.use, facts(t, head), &acl.Told{AuthUser: "bo b", User: "ext"})
		if got := r.questions(); got != c.want {
			t.Errorf("%s: %s, want %s", c.codes, got, c.want)
		}
	}
	r := newRig(t, "%LOGIN %PROTO %PORT %PATH %DST %{X-A}", "")
	r.Match(t.Context(), r.use, facts(t, "CONNECT a.test:99 HTTP/1.0"), nil)
	if got := r.questions(); got != "- NONE 99 - a.test -" {
		t.Error(got)
	}
	r = newRig(t, "%PROTO %PATH %{X-A} %IDENT", "")
	r.Match(t.Context(), r.use, new(acl.Facts), nil)
	if got := r.questions(); got != "- - - -" {
		t.Error(got)
	}
}

func TestAnswers(t *testing.T) {
	for line, want := range map[string]struct {
		outcome acl.Ternary
		said    acl.Told
	}{
		"OK": {acl.Yes, acl.Told{}}, "ERR": {acl.No, acl.Told{}}, "maybe": {acl.No, acl.Told{}}, "": {acl.No, acl.Told{}},
		"ok user=low": {acl.No, acl.Told{User: "low"}}, "OKAY user=x": {acl.No, acl.Told{User: "x"}}, "BH message=broken": {acl.No, acl.Told{Message: "broken"}},
		`OK user="a b" log="x \"y" message=m%20n`: {acl.Yes, acl.Told{User: "a b", Log: `x "y`, Message: "m n"}},
		`OK user=a%20b log=x%22 password=p tag=t`: {acl.Yes, acl.Told{User: "a b", Log: `x"`, Password: "p", Tag: "t"}},
		`ERR user=zed message="no \ way" log=l`:   {acl.No, acl.Told{User: "zed", Message: "no  way", Log: "l"}},
		`OK error="old style" junk user=u=v`:      {acl.Yes, acl.Told{User: "u=v", Message: "old style"}},
		"OK user=a%0d%0ab log=x":                  {acl.Yes, acl.Told{Log: "x"}},
	} {
		a := understand(line, false)
		var said acl.Told
		if a.said != nil {
			said = *a.said
		}
		if a.outcome != want.outcome || said != want.said {
			t.Errorf("%q: %d %+v", line, a.outcome, said)
		}
	}
}

func (r *rig) ask(path string) acl.Ternary {
	outcome, _ := r.Match(r.t.Context(), r.use, facts(r.t, "GET http://a.test"+path+" HTTP/1.0"), nil)
	return outcome
}

func TestTTL(t *testing.T) {
	for name, c := range map[string]struct {
		options, path string
		times         []time.Duration
		want          string // * asked
	}{
		"two seconds":         {"ttl=2", "/", []time.Duration{0, 2, 1, 2, 1}, "*.*.*"},
		"zero":                {"ttl=0", "/", []time.Duration{0, 0, 1, 0}, "*.*."},
		"negative":            {"negative_ttl=1", "/say/ERR", []time.Duration{0, 1, 1, 1}, "*.*."},
		"positive, not short": {"negative_ttl=0", "/", []time.Duration{0, 1000, 1000}, "*.."},
		"forever less":        {"ttl=-1", "/", []time.Duration{0, 0}, "**"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.options+" children=1 %PATH", "")
			got := ""
			for _, after := range c.times {
				r.clock = r.clock.Add(after * time.Second)
				r.ask(c.path)
				got += map[bool]string{true: "*", false: "."}[r.questions() != ""]
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Within grace the old answer is given while the new one is asked for.
func TestGrace(t *testing.T) {
	r := newRig(t, "ttl=10 grace=50 children=1 %PATH", "")
	for _, step := range []struct{ after, asked int }{{0, 1}, {5, 1}, {1, 2}, {5, 2}, {1, 3}} {
		r.clock = r.clock.Add(time.Duration(step.after) * time.Second)
		if r.ask("/") != acl.Yes {
			t.Error("not allowed")
		}
		for end := time.Now().Add(10 * time.Second); r.pool.Stats().Answered != uint64(step.asked) || r.flights() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("after %ds: asked %d times, want %d", step.after, r.pool.Stats().Answered, step.asked)
			}
		}
	}
}

func (r *rig) flights() int {
	k := r.kinds[r.use.Type]
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.asking)
}

func TestCacheSize(t *testing.T) {
	r := newRig(t, "cache=2 children=1 %PATH", "")
	for _, path := range strings.Fields("/a /b /a /c /a /b") {
		r.ask(path)
	}
	if got := r.questions(); got != "/a\n/b\n/c\n/b" {
		t.Errorf("%q", got)
	}
}

// Requests with the same question wait for one answer; one that leaves does not take it
// from the others.
func TestTogether(t *testing.T) {
	r := newRig(t, "children=3 %PATH", "")
	gone, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = gone
			}
			outcome, _ := r.Match(ctx, r.use, facts(t, "GET http://a.test/wait HTTP/1.0"), nil)
			if i%2 == 1 && outcome != acl.Yes {
				t.Errorf("%d", outcome)
			}
		})
	}
	for r.pool.Stats().Asked == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	os.WriteFile(r.asked+".go", nil, 0o600)
	wg.Wait()
	if got := r.questions(); got != "/wait" {
		t.Errorf("asked %q", got)
	}
}

// A helper that cannot be asked lets nobody in, and is asked again.
func TestNoAnswer(t *testing.T) {
	r := newRig(t, "children=1 %PATH", "")
	r.pool.Close()
	if got := r.ask("/"); got != acl.Missing {
		t.Errorf("%d, want Missing", got)
	}
	if r.flights() != 0 {
		t.Error("the question is still on its way")
	}
	other := &conf.ExternalUse{Type: &conf.ExternalACL{}}
	if got, _ := r.Match(t.Context(), other, new(acl.Facts), nil); got != acl.Missing {
		t.Errorf("a type nobody knows: %d", got)
	}
}

// Whatever is asked about, the question is one line, and of as many words as there are
// codes where they are escaped.
func FuzzQuestion(f *testing.F) {
	f.Add("a=1, b=2", "b", byte(','))
	f.Add(`a="x;y\";b=1"; b=2`, "b", byte(';'))
	f.Add("a\tb=\x01", "", byte(0))
	f.Fuzz(func(t *testing.T, text, name string, separator byte) {
		if got := member([]byte(text), name, separator); len(got) > len(text) {
			t.Errorf("%q", got)
		}
		k := &kind{cfg: &conf.ExternalACL{Format: []conf.ExternalFormat{{Code: "LOGIN"}, {Code: "EXT_USER"}, {Code: "DATA"}}}}
		use := &conf.ExternalUse{Args: []string{name + "x"}}
		line := string(k.question(t.Context(), nil, use, new(acl.Facts), &acl.Told{AuthUser: text, User: name}))
		if strings.ContainsAny(line, "\r\n\x00") || strings.Count(line, " ") != 2 {
			t.Errorf("%q", line)
		}
		understand(text, false)
	})
}

func BenchmarkKnown(b *testing.B) {
	r := newRig(b, "children=1 %SRC %PATH %METHOD", "one")
	f := facts(b, "GET http://www.example.com/some/path?query=1 HTTP/1.0")
	r.Match(b.Context(), r.use, f, nil)
	b.ReportAllocs()
	for b.Loop() {
		if outcome, _ := r.Match(b.Context(), r.use, f, nil); outcome != acl.Yes {
			b.Fatal(outcome)
		}
	}
}
