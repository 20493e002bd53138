package acl

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// millions are list files as their makers publish them, a line a value.
var millions = []struct {
	name, acl string
	line      func(r *rand.Rand, i int) string
}{
	{"dstdomain", "dstdomain", func(r *rand.Rand, i int) string {
		return fmt.Sprintf("%s%s%d.%s", word(r), word(r), i, []string{"com", "net", "org", "example.de", "co.uk"}[r.IntN(5)])
	}},
	{"dstdomain dotted", "dstdomain", func(r *rand.Rand, i int) string {
		return fmt.Sprintf(".%s%s%d.%s", word(r), word(r), i, []string{"com", "net", "org", "example.de", "co.uk"}[r.IntN(5)])
	}},
	{"dstdomain overlapping", "dstdomain", func(_ *rand.Rand, i int) string { // one in a hundred lies in the one before
		of := func(i int) string { return fmt.Sprintf("%s%d.com", word(rand.New(rand.NewPCG(1, uint64(i)))), i) }
		if i%100 == 99 {
			return "www." + of(i-1)
		}
		return "." + of(i)
	}},
	{"src", "src", func(r *rand.Rand, i int) string {
		n := uint32(i) * 2654435761 // each once, in no order
		return addrOf(n | 1).String()
	}},
	{"src networks", "src", func(r *rand.Rand, i int) string {
		return addrOf(uint32(i)*2654435761&^7).String() + "/29"
	}},
	{"src overlapping", "src", func(_ *rand.Rand, i int) string { // one in a hundred is the one before
		if i%100 == 99 {
			i--
		}
		return addrOf(uint32(i)*2654435761&^1).String() + "/31"
	}},
	{"url_regex", "url_regex -i", func(r *rand.Rand, i int) string {
		return fmt.Sprintf(`^http://(www\.)?%s%s%d\.%s/`, word(r), word(r), i, []string{"com", "net", "org"}[r.IntN(3)])
	}},
	{"url_regex plain", "url_regex -i", func(r *rand.Rand, i int) string {
		return fmt.Sprintf(`%s%s%d\.%s/%s`, word(r), word(r), i, []string{"com", "net", "org"}[r.IntN(3)], word(r))
	}},
}

func word(r *rand.Rand) string {
	b := make([]byte, 2+r.IntN(6))
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyzeeeaaiioostrn"[r.IntN(39)]
	}
	return string(b)
}

// BenchmarkMillion reads and compiles a list of a million lines; retained/op is what
// it keeps.
func BenchmarkMillion(b *testing.B) {
	for _, m := range millions {
		b.Run(m.name, func(b *testing.B) {
			dir := b.TempDir()
			list := filepath.Join(dir, "list")
			f, err := os.Create(list)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			r := rand.New(rand.NewPCG(1, 2))
			for i := range 1_000_000 {
				fmt.Fprintln(w, m.line(r, i))
			}
			w.Flush()
			f.Close()
			path := filepath.Join(dir, "squid.conf")
			text := fmt.Sprintf("http_port 3128\nacl all src 0.0.0.0/0\nacl x %s %q\nhttp_access deny x\n", m.acl, list)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			heap := func() uint64 {
				var ms runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&ms)
				return ms.HeapAlloc
			}
			before := heap()
			var cfg *conf.Config
			var set *Set
			for b.Loop() {
				cfg, set = nil, nil
				var report *conf.Report
				if cfg, report = conf.Load(path, conf.Options{World: machine{}}); cfg == nil {
					b.Fatal(report.Lines[len(report.Lines)-1])
				}
				if set, err = Compile(cfg, Sources{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(heap()-before)/1e6, "MB-kept")
			runtime.KeepAlive(cfg)
			runtime.KeepAlive(set)
		})
	}
}
