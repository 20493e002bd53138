package acl

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

const large = 100_000

func largeNetworks() conf.Networks {
	var list []conf.IPRange
	r := rand.New(rand.NewPCG(1, 2))
	for range large {
		bits := 16 + r.IntN(17)
		a := netip.AddrFrom4([4]byte{byte(1 + r.IntN(220)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))})
		m := maskOf(a, bits)
		list = append(list, conf.IPRange{First: and(a, m), Mask: m})
	}
	return conf.NetworksOf(list...)
}

func largeDomains() conf.Domains {
	var list []string
	for i := range large {
		list = append(list, fmt.Sprintf(".site-%d.example.com", i))
	}
	return conf.DomainsOf(list...)
}

func largePatterns(n int) conf.Regexes {
	var list []conf.Regex
	r := rand.New(rand.NewPCG(3, 4))
	for range n {
		list = append(list, conf.Regex{Pattern: fmt.Sprintf(`/ad%x/banner\.gif`, r.Uint32()), ICase: true})
	}
	return conf.RegexesOf(list...)
}

// mixedPatterns need the engine once their literal is there.
func mixedPatterns(n int) (list []conf.Regex) {
	for i := range n {
		p := []string{`(^|[-.?+=/_0-9])word%d([-.?+=/_0-9]|$)`, `/(ads|banners)%d/.*\.(gif|jpe?g)`, `^http://[^/]*tracker%d\.`}[i%3]
		list = append(list, conf.Regex{Pattern: fmt.Sprintf(p, i), ICase: true})
	}
	return list
}

const missingURL = "http://www.example.org/some/rather/ordinary/path/to/a/page.html?with=a&query=string&of=some&length=1"

func BenchmarkBuild(b *testing.B) {
	nets, pats := largeNetworks(), largePatterns(large)
	b.Run("src", func(b *testing.B) {
		for b.Loop() {
			compileAddrs(&nets)
		}
	})
	b.Run("url_regex", func(b *testing.B) {
		for b.Loop() {
			if _, err := compileRegexes(&pats); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// decisions are the checks that must be fast and free of allocations.
func decisions(tb testing.TB) map[string]func() {
	f := facts(tb, "GET "+missingURL+" HTTP/1.0\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: */*")
	escaped := facts(tb, "GET http://www.example.org/a%20b%20c?%41 HTTP/1.0")
	ctx := context.Background()
	comp := newCompiler(&conf.Config{}, Sources{})
	matcherOf := func(a conf.ACL) matcher {
		m, err := comp.compile(&a)
		if err != nil {
			tb.Fatal(err)
		}
		return m
	}
	decide := func(a conf.ACL, f *Facts) func() {
		m := matcherOf(a)
		return func() { m.match(ctx, f) }
	}
	book := stock()
	cfg := &conf.Config{}
	cfg.HTTPAccess = book.list("allow manager localhost", "deny manager", "deny !Safe_ports", "deny CONNECT !SSL_ports",
		"allow localnet", "allow localhost", "deny all")
	set, err := Compile(cfg, Sources{})
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]func(){
		"src 100000":           decide(conf.ACL{Type: conf.ACLSrc, Networks: largeNetworks()}, f),
		"dstdomain 100000":     decide(conf.ACL{Type: conf.ACLDstDomain, Domains: largeDomains()}, f),
		"url_regex 100000":     decide(conf.ACL{Type: conf.ACLURLRegex, Regexes: largePatterns(large)}, f),
		"url_regex 100":        decide(conf.ACL{Type: conf.ACLURLRegex, Regexes: largePatterns(100)}, f),
		"url_regex mixed 1000": decide(conf.ACL{Type: conf.ACLURLRegex, Regexes: conf.RegexesOf(mixedPatterns(1000)...)}, f),
		"urlpath_regex":        decide(conf.ACL{Type: conf.ACLURLPathRegex, Regexes: regexes(true, `\.exe$`, `\.zip$`)}, escaped),
		"browser":              decide(conf.ACL{Type: conf.ACLBrowser, Regexes: regexes(true, "msie 6", "^curl")}, f),
		"req_header": decide(conf.ACL{Type: conf.ACLReqHeader,
			Headers: []conf.HeaderRegex{{Name: "User-Agent", Regexes: regexes(true, "msie 6", "^curl")}}}, f),
		"stock http_access": func() { set.HTTPAccess.Check(ctx, f) },
	}
}

func TestDecisionsDoNotAllocate(t *testing.T) {
	for name, f := range decisions(t) {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for name, f := range decisions(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
