package refreshcheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUnderstand(t *testing.T) {
	for line, c := range map[string]struct {
		want  Answer
		fault bool
	}{
		"STALE":                           {},
		"STALE freshness=30":              {},
		"FRESH":                           {want: Answer{Fresh: true}},
		"FRESH freshness=30":              {want: Answer{Fresh: true, Seconds: 30}},
		"FRESH freshness=30 log=x":        {want: Answer{Fresh: true, Seconds: 30}},
		"FRESH freshness=99999999999":     {want: Answer{Fresh: true, Seconds: maxFreshness}},
		"FRESH freshness=-1":              {fault: true},
		"FRESH freshness=soon":            {fault: true},
		"FRESH res{X-A}=b%20c res{Y}=%22": {want: Answer{Fresh: true, Fields: "X-A: b c\r\nY: \"\r\n"}},
		"FRESH res{X-A}=b%0d%0aEvil:%20x": {fault: true},
		"FRESH res{X A}=b":                {want: Answer{Fresh: true}}, // two words that say nothing
		"FRESH res{}=b":                   {fault: true},
		"fresh":                           {fault: true},
		"OK":                              {fault: true},
		"":                                {fault: true},
	} {
		got, err := Understand(line)
		if got != c.want || (err != nil) != c.fault {
			t.Errorf("%q: %+v, %v, want %+v", line, got, err, c.want)
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	f.Add("FRESH freshness=30 res{Cache-Control}=max-age%3D30")
	f.Add(`STALE log="x`)
	f.Fuzz(func(t *testing.T, line string) {
		a, err := Understand(line)
		if err != nil && a != (Answer{}) {
			t.Errorf("%q: %+v beside %v", line, a, err)
		}
		for l := range strings.SplitSeq(strings.TrimSuffix(a.Fields, "\r\n"), "\r\n") {
			if a.Fields != "" && (!strings.Contains(l, ": ") || strings.ContainsAny(l, "\r\n\x00")) {
				t.Errorf("%q: a line %q", line, l)
			}
		}
	})
}

// The program is asked as the format says, and one that says nonsense is named once.
func TestAsk(t *testing.T) {
	asked := filepath.Join(t.TempDir(), "asked")
	core, logs := observer.New(zap.InfoLevel)
	var pool *helper.Pool
	c := New(&conf.RefreshCheck{Children: 1, Formats: []string{"%CACHE_URI", "%RES{cache-control}", "%AGE", "%RES{X-None}", "%OTHER"},
		Program: []string{"/bin/sh", "-c", `while read -r l; do echo "$l" >> "$0"; case "$l" in *good*) echo FRESH freshness=5;; *) echo what;; esac; done`, asked},
	}, func(o helper.Options) *helper.Pool {
		pool = helper.NewPool(o)
		return pool
	}, zap.New(core))
	t.Cleanup(func() {
		pool.Kill()
		pool.Wait()
	})
	var reply http1.Reply
	reply.Parse([]byte("HTTP/1.0 200 OK\r\nCache-Control: max-age=60, public\r\n\r\n"), true, &http1.Options{MaxHead: 1000})
	ask := func(uri string) Answer {
		return c.Ask(t.Context(), &Question{URI: []byte(uri), Reply: &reply.Fields, Age: 75})
	}
	if got := ask("http://origin.test/good one"); got != (Answer{Fresh: true, Seconds: 5}) {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if got := ask("http://origin.test/odd"); got != (Answer{}) {
			t.Errorf("%+v", got)
		}
	}
	said := logs.Filter(func(e observer.LoggedEntry) bool {
		return report.Line(e.Message, e.Context) == "ERROR: external_refresh_check says neither FRESH nor STALE"
	})
	if n := said.Len(); n != 1 {
		t.Errorf("named %d times", n)
	}
	const want = "http://origin.test/good%20one max-age=60,%20public 75 - -"
	if text, _ := os.ReadFile(asked); !strings.HasPrefix(string(text), want+"\n") {
		t.Errorf("asked %q, want %q", text, want)
	}
	if New(&conf.RefreshCheck{}, nil, nil).Ask(t.Context(), nil) != (Answer{}) {
		t.Error("without a program everything is stale")
	}
}
