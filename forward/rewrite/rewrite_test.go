package rewrite

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Answers as Squid 2.6.STABLE24 was seen to take them, and the newer dialect.
func TestUnderstand(t *testing.T) {
	for line, want := range map[string]Answer{
		"": {}, "  http://x/lead": {},
		"http://x/new extra words":         {URL: "http://x/new"},
		"http://x/a b\tc":                  {URL: "http://x/a"},
		"!grp!http://x/new":                {URL: "http://x/new", Group: "grp"},
		"!grp!":                            {Group: "grp"},
		"!!http://x/new":                   {URL: "http://x/new"},
		"!grp":                             {Fault: "does not end the urlgroup"},
		"301:http://x.test/m":              {Redirect: 301, Location: "http://x.test/m"},
		"302:http://x.test/m":              {Redirect: 302, Location: "http://x.test/m"},
		"303:http://x.test/m":              {Redirect: 303, Location: "http://x.test/m"},
		"307:http://x.test/m":              {Redirect: 307, Location: "http://x.test/m"},
		"308:http://x.test/m":              {URL: "308:http://x.test/m"}, // no URL either
		"301:":                             {Redirect: 301},
		"301:/rel path":                    {Redirect: 301, Location: "/rel"},
		"!grp!302:http://x.test/g":         {Redirect: 302, Location: "http://x.test/g", Group: "grp"},
		"302:!grp!http://x.test/g":         {Redirect: 302, Location: "!grp!http://x.test/g"},
		"302:http://x/\x01":                {Fault: "gives an address with control characters"},
		"OK":                               {},
		"ERR":                              {},
		"ERR message=none":                 {},
		"BH message=x":                     {Fault: "says that it is broken (BH)"},
		`OK rewrite-url="http://x/block?"`: {URL: "http://x/block?"},
		`OK status=301 url="http://x/m"`:   {Redirect: 301, Location: "http://x/m"},
		`OK url=http://x/m`:                {Redirect: 302, Location: "http://x/m"},
		`OK url=http://x/m status=200`:     {Fault: "gives a status that redirects nowhere"},
		"OK url=\"a b\"":                   {Fault: "gives a value with control characters"},
		"OK tag=t":                         {Group: "t"},
		"OKAY":                             {URL: "OKAY"},
	} {
		if got := Understand(line); got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
	for line, want := range map[string]string{
		"": "", "http://new.test/x y z": "http://new.test/x", "junk": "junk", "  lead": "", "OK": "", "ERR": "", "OK x": "",
		"OK rewrite-url=http://n/": "http://n/", "OK store-id=http://s/": "http://s/", "a\x02": "", "BH": "",
	} {
		if got, _ := UnderstandLocation(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestQuestion(t *testing.T) {
	q := &Question{URL: []byte("http://u:p@a.test/b?c"), Client: netip.MustParseAddr("192.0.2.1"), Name: "pc.test", User: "bo b", Method: "GET", Group: "tg"}
	if got, want := string(q.append(nil)), "http://u:p@a.test/b?c 192.0.2.1/pc.test bo%20b GET tg"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	q = &Question{URL: []byte("a.test:443"), Client: netip.MustParseAddr("2001:db8::1"), Method: "CONNECT"}
	if got, want := string(q.append(nil)), "a.test:443 2001:db8::1/- - CONNECT -"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// shell starts the programs, each a shell script.
func shell(t *testing.T, script string, bypass bool) Rewriters {
	cfg := &conf.Config{}
	program := []string{"/bin/sh", "-c", "while IFS= read -r l; do set -- $l; " + script + "; done"}
	cfg.URLRewriteProgram, cfg.LocationRewriteProgram, cfg.StoreURLRewriteProgram = program, program, program
	cfg.URLRewriteChildren, cfg.LocationRewriteChildren, cfg.StoreURLRewriteChildren = 1, 1, 1
	cfg.RedirectorBypass = bypass
	r := New(cfg, func(o helper.Options) *helper.Pool {
		p := helper.NewPool(o)
		t.Cleanup(func() {
			p.Kill()
			p.Wait()
		})
		return p
	}, zap.NewNop())
	return r
}

func TestPrograms(t *testing.T) {
	r := shell(t, `echo "$1/new"`, false)
	q := &Question{URL: []byte("http://a.test"), Method: "GET"}
	if a, ok := r.URL.Rewrite(t.Context(), q); !ok || a != (Answer{URL: "http://a.test/new"}) {
		t.Errorf("%+v, %v", a, ok)
	}
	if got := r.StoreURL.Store(t.Context(), q); got != "http://a.test/new" {
		t.Error(got)
	}
	if got := r.Location.Location(t.Context(), []byte("http://old.test"), []byte("http://a.test/"), ""); got != "http://old.test/new" {
		t.Error(got)
	}
	if none := New(&conf.Config{}, nil, nil); none != (Rewriters{}) {
		t.Error("programs nobody named are run")
	}
}

// The URL a program was asked about is no change, whatever stands behind it.
func TestApply(t *testing.T) {
	for script, want := range map[string]string{
		`echo "$l"`:                     "",
		`echo "OK rewrite-url=\"$1\""`:  "",
		`echo "$1/new"`:                 "http://a.test/new",
		`echo "no URL"`:                 "",
		`echo "!group!http://b.test/b"`: "http://b.test/b",
	} {
		var url http1.URL
		_, changed, ok := shell(t, script, false).URL.Apply(t.Context(), &Question{URL: []byte("http://a.test"), Method: "GET"}, &url, http1.GET, &http1.URLOptions{})
		if got := string(url.AppendCanonical(nil)); !ok || changed != (want != "") || changed && got != want {
			t.Errorf("%s: %q, %v, %v", script, got, changed, ok)
		}
	}
}

// What a program would have blocked does not pass because the program cannot be asked; with
// redirector_bypass it does.
func TestProgramGone(t *testing.T) {
	for _, bypass := range []bool{false, true} {
		r := shell(t, "exit", bypass)
		if a, ok := r.URL.Rewrite(t.Context(), &Question{URL: []byte("http://a.test/"), Method: "GET"}); ok != bypass || a != (Answer{}) {
			t.Errorf("bypass %v: %+v, %v", bypass, a, ok)
		}
		if got := r.Location.Location(t.Context(), []byte("http://old.test"), nil, ""); got != "" {
			t.Error(got)
		}
	}
}

// With one request at the program and one waiting, the third goes on (fact rw-bypass).
func TestBypass(t *testing.T) {
	file := filepath.Join(t.TempDir(), "go")
	r := shell(t, "while ! [ -e "+file+" ]; do sleep 0.01; done; echo http://slow.test/", true)
	done := make(chan string)
	for range 2 {
		go func() {
			a, _ := r.URL.Rewrite(context.Background(), &Question{URL: []byte("http://a.test/"), Method: "GET"})
			done <- a.URL
		}()
	}
	for r.URL.pool.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	if a, ok := r.URL.Rewrite(t.Context(), &Question{URL: []byte("http://a.test/"), Method: "GET"}); !ok || a.URL != "" {
		t.Errorf("%+v, %v", a, ok)
	}
	os.WriteFile(file, nil, 0o600)
	for range 2 {
		if got := <-done; got != "http://slow.test/" {
			t.Error(got)
		}
	}
}

// Whatever a program says, nothing of it can break a line or a header field.
func FuzzUnderstand(f *testing.F) {
	for _, s := range []string{"!g!301:http://x", `OK status=302 url="http://x/\"y"`, "BH", "a\x00b", "302:\r\nX: y", "!a b!c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		a := Understand(line)
		text, _ := UnderstandLocation(line)
		if all := fmt.Sprint(a.URL, a.Location, a.Group, text); strings.ContainsAny(all, " \t\r\n\x00") {
			t.Errorf("%q: %+v, %q", line, a, text)
		}
		if a.Redirect != 0 && a.URL != "" {
			t.Errorf("%q: %+v", line, a)
		}
	})
}
