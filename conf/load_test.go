package conf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

func TestLoadFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	loop := write("loop.conf", "include "+filepath.Join(dir, "loop.conf")+"\n")
	write("part1.conf", "cache_mem 64 MB\n")
	write("part2.conf", "cache_mem 65 MB\nconnect_timeout 7 seconds\n")
	parts := write("whole.conf", "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\ninclude "+dir+"/part?.conf\n")
	broken := write("broken.conf", "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\ninclude "+write("bad.conf", "\nhttp_port x\n")+"\n")
	for _, c := range []struct {
		path, line string
		exit       int
	}{
		{filepath.Join(dir, "none.conf"), "FATAL: Unable to open configuration file: " + dir + "/none.conf: (2) No such file or directory", 134},
		{dir, "FATAL: " + dir + " cannot be read: read " + dir + ": is a directory", 1},
		{loop, "FATAL: Bungled loop.conf line 1: include " + loop, 1},
		{broken, "FATAL: Bungled bad.conf line 2: http_port x", 1},
		{parts, "", 0},
	} {
		cfg, report := Load(c.path, Options{})
		if report.Exit != c.exit {
			t.Errorf("%s: exit %d, want %d (%v)", c.path, report.Exit, c.exit, report.Lines)
		}
		first := ""
		for _, l := range report.Lines {
			if strings.HasPrefix(l.Text, "FATAL") {
				first = l.Text
				break
			}
		}
		if first != c.line {
			t.Errorf("%s: %q, want %q", c.path, first, c.line)
		}
		if c.exit == 0 && (cfg.CacheMem != 65<<20 || cfg.ConnectTimeout != 7*time.Second || len(report.Extensions) != 1) {
			t.Errorf("included values: %d %v, %d extensions", cfg.CacheMem, cfg.ConnectTimeout, len(report.Extensions))
		}
	}
}

func TestBinaryFiles(t *testing.T) {
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip(err)
	}
	for _, text := range [][]byte{exe[:min(len(exe), 1<<20)], bytes.Repeat([]byte{0}, 100_000), bytes.Repeat([]byte("\\\n"), 50_000),
		bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("\xff\xfe\r"), 1000)} {
		cfg, report := LoadText("binary", text, Options{World: oracle(t), Lint: true})
		if cfg != nil && report.Exit == 0 {
			t.Error("a binary file is accepted")
		}
		var out bytes.Buffer
		report.Explain(&out, true)
	}
}

func TestDefaults(t *testing.T) {
	c := Default()
	if c.CacheMem != 8<<20 || c.NegativeTTL != 5*time.Minute || !c.Via || c.Umask != 0o27 || c.ICPPort != 3130 ||
		c.Delay.InitialBucketLevel != 50 || c.WCCP.Weight != 10000 || c.RelaxedHeaderParser != On || c.QuickAbortMin != 16<<10 ||
		c.CacheEffectiveUser == "" || c.UDPOutgoingAddress.String() != "255.255.255.255" || c.MinimumDirectRTT != 400*time.Millisecond {
		t.Errorf("defaults: %+v", c)
	}
}

// mixed makes a file of n lines of the kinds real files have.
func mixed(n int) []byte {
	var b bytes.Buffer
	b.WriteString("acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\nvisible_hostname a.b\n")
	for i := 0; i < n; i += 10 {
		fmt.Fprintf(&b, "acl net%d src 10.%d.%d.0/24\n", i, i/10%250, i/2500%250)
		fmt.Fprintf(&b, "acl dom%d dstdomain .d%d.example.com .e%d.example.net\n", i, i, i)
		fmt.Fprintf(&b, "acl re%d url_regex -i ^http://[^/]*\\.x%d\\.(com|net)/\n", i, i)
		fmt.Fprintf(&b, "http_access allow net%d !dom%d\n", i, i)
		fmt.Fprintf(&b, "refresh_pattern -i \\.f%d$ 1440 20%% 4320 override-expire\n", i)
		fmt.Fprintf(&b, "cache_peer p%d.example.com parent 3128 3130 no-query weight=3 name=p%d\n", i, i)
		fmt.Fprintf(&b, "cache_peer_access p%d allow re%d\n", i, i)
		fmt.Fprintf(&b, "# comment %d\n\ncache_mem %d MB\n", i, i%100+1)
	}
	return b.Bytes()
}

func BenchmarkTreeToConfig100k(b *testing.B) {
	tree, err := parser.Parse("squid.conf", mixed(100_000))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		bl := newBuilder(Options{World: Offline{}})
		bl.base = "squid.conf"
		if cfg, r := bl.buildTree("squid.conf", tree); cfg == nil {
			b.Fatal(r.Lines)
		}
	}
}

// BenchmarkACLFile100k reads an ACL from a list file of 100,000 lines.
func BenchmarkACLFile100k(b *testing.B) {
	for _, kind := range []string{"src", "dstdomain", "url_regex"} {
		b.Run(kind, func(b *testing.B) {
			var list bytes.Buffer
			for i := range 100_000 {
				switch kind {
				case "src":
					fmt.Fprintf(&list, "10.%d.%d.%d\n", i>>16&255, i>>8&255, i&255)
				case "dstdomain":
					fmt.Fprintf(&list, ".d%d.example%d.com\n", i*7919%100_000, i%97)
				default:
					fmt.Fprintf(&list, "^http://www%d\\.example\\.com/\n", i)
				}
			}
			w := oracle(b).with(nil)
			w.lists["lists/big"] = list.Bytes()
			text := []byte("acl all src 0/0\nhttp_port 3128\nacl big " + kind + " \"lists/big\"\nhttp_access allow big\n")
			b.ReportAllocs()
			for b.Loop() {
				if cfg, r := LoadText("squid.conf", text, Options{World: w}); cfg == nil {
					b.Fatal(r.Lines)
				}
			}
		})
	}
}

// TestMemory100k: all that is allocated on the way from 100,000 lines to a Config,
// freed or not, is less than 400 MB.
func TestMemory100k(t *testing.T) {
	text := mixed(100_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cfg, report := LoadText("squid.conf", text, Options{World: Offline{}})
	runtime.ReadMemStats(&after)
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb >= 400 {
		t.Errorf("%d MB were allocated", mb)
	} else {
		t.Logf("%d MB were allocated", mb)
	}
	// The warnings cost time on large files, but not without bound.
	if _, report := LoadText("squid.conf", text, Options{World: Offline{}, Lint: true}); len(report.Diagnostics) > maxDiagnostics {
		t.Errorf("%d diagnostics are kept", len(report.Diagnostics))
	}
}

// FuzzLoad: bytes to Config. Nothing panics, what is accepted can be dumped, and
// every diagnostic has a place.
func FuzzLoad(f *testing.F) {
	for i, rec := range readRecordings(f) {
		if rec.group != "real" && i%7 == 0 {
			f.Add(latin1(rec.Conf))
		}
	}
	w := oracle(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(text, []byte("delay_pools")) && len(text) > 4096 {
			return // pools of 65535 on every line make the run slow, not wrong
		}
		cfg, report := LoadText("squid.conf", text, Options{World: w, Lint: true})
		for _, d := range report.Diagnostics {
			if d.Pos.IsZero() || d.Summary == "" || d.Check == "" {
				t.Fatalf("diagnostic without place or text: %+v", d)
			}
			d.underline()
		}
		if cfg != nil && report.Exit == 0 {
			again, r := LoadText("squid.conf", cfg.Dump(true), Options{World: w})
			if again == nil {
				t.Fatalf("the dump is refused: %v\n%s", r.Lines, cfg.Dump(true))
			}
		}
	})
}
