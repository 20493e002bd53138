package acl

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"pgregory.net/rapid"
)

// Lists of 100,000 values answer as going through them one by one would. The
// subjects lie at the edges of values: that is where an index goes wrong.

func matcherOf(t *testing.T, a *conf.ACL) matcher {
	t.Helper()
	m, err := newCompiler(&conf.Config{}, Sources{Names: &resolver{}}).compile(a)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// urlOf is the Facts of a request for a URL.
func urlOf(t interface{ Fatalf(string, ...any) }, text string) *Facts {
	url := new(http1.URL)
	if fault := url.Parse(http1.GET, []byte(text), &http1.URLOptions{}); fault != http1.NoFault {
		t.Fatalf("%q: %v", text, fault)
	}
	return &Facts{Method: http1.GET, URL: url}
}

func addrOf(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}

func TestLargeAddressLists(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var list []conf.IPRange
	type value struct{ mask, first, last uint32 }
	var model []value
	for i := range large {
		v := value{mask: ^uint32(0) << r.IntN(9), first: 10<<24 | r.Uint32()>>5}
		if i%5000 == 0 {
			v.mask = 0xff00ff00 | r.Uint32() // no prefix
		}
		v.first &= v.mask
		v.last = v.first
		if i%10 == 1 {
			v.last = (v.first + uint32(r.IntN(1000))) & v.mask
		}
		entry := conf.IPRange{First: addrOf(v.first), Mask: addrOf(v.mask)}
		if v.last != v.first {
			entry.Last = addrOf(v.last)
		}
		list, model = append(list, entry), append(model, v)
	}
	src := matcherOf(t, &conf.ACL{Type: conf.ACLSrc, Networks: conf.NetworksOf(list...)})
	dst := matcherOf(t, &conf.ACL{Type: conf.ACLDst, Networks: conf.NetworksOf(list...)})
	hits, misses := 0, 0
	for round := range 36 { // 3.6 million comparisons
		v := model[r.IntN(large)]
		n := []uint32{v.first - 1, v.first, v.last, v.last | ^v.mask, (v.last | ^v.mask) + 1, v.first ^ 1<<20}[round%6]
		want := No
		for _, v := range model {
			if m := n & v.mask; v.first <= m && m <= v.last {
				want = Yes
				break
			}
		}
		a := addrOf(n)
		if got := src.match(t.Context(), &Facts{Client: a}); got != want {
			t.Fatalf("src %s: %d, want %d", a, got, want)
		}
		if got := dst.match(t.Context(), urlOf(t, "http://"+a.String()+"/")); got != want {
			t.Fatalf("dst %s: %d, want %d", a, got, want)
		}
		if want == Yes {
			hits++
		} else {
			misses++
		}
	}
	if hits == 0 || misses == 0 {
		t.Errorf("%d hits and %d misses say nothing", hits, misses)
	}
}

func TestLargeDomainLists(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var list []string
	for i := range large {
		name := fmt.Sprintf("s%d.d%d.%s", i%50_000, r.IntN(1000), []string{"test", "example.net", "x"}[i%3])
		if i%2 == 0 {
			name = "." + name
		}
		list = append(list, name)
	}
	m := matcherOf(t, &conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf(list...)})
	hits, misses := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		near := strings.TrimPrefix(list[rapid.IntRange(0, large-1).Draw(rt, "near")], ".")
		_, parent, _ := strings.Cut(near, ".")
		host := rapid.SampledFrom([]string{near, "www." + near, "a.b." + near, "x" + near, "x-" + near, parent, near + ".test", near[1:],
			strings.ToUpper(near)}).Draw(rt, "host")
		want, lowercase := No, strings.ToLower(host)
		for _, v := range list {
			if v == lowercase || v[0] == '.' && (v[1:] == lowercase || strings.HasSuffix(lowercase, v)) {
				want = Yes
				break
			}
		}
		if got := m.match(t.Context(), urlOf(rt, "http://"+host+"/")); got != want {
			rt.Fatalf("%s: %d, want %d", host, got, want)
		}
		if want == Yes {
			hits++
		} else {
			misses++
		}
	})
	if hits == 0 || misses == 0 {
		t.Errorf("%d hits and %d misses say nothing", hits, misses)
	}
}

func TestLargeExpressionLists(t *testing.T) {
	var list []conf.Regex
	var near []string // a URL the expression of that number matches, or nearly
	var plain []func(url, lowered string) bool
	engine := map[int]*regexp.Regexp{}
	for i := range large {
		literal := fmt.Sprintf("/Ad%x/banner.gif", i*2654435761)
		pattern, icase := strings.ReplaceAll(literal, ".", `\.`), i%2 == 0
		literalLowered := strings.ToLower(literal)
		var says func(url, lowered string) bool
		url := "http://w.test" + literal
		switch {
		case i%500 == 1: // the engine is needed
			pattern = fmt.Sprintf(`/w%d[0-9]+\.(gif|jpe?g)$`, i)
			url = fmt.Sprintf("http://w.test/w%d7.jpg", i)
			engine[i] = regexp.MustCompile(pattern)
			icase = false
		case i%4 == 0:
			pattern, says = pattern+"$", func(_, lowered string) bool { return strings.HasSuffix(lowered, literalLowered) }
		case i%4 == 1:
			start := fmt.Sprintf("http://h%d.test/", i)
			pattern, url = "^"+strings.ReplaceAll(start, ".", `\.`), start+"x"
			says = func(url, _ string) bool { return strings.HasPrefix(url, start) }
		case icase:
			says = func(_, lowered string) bool { return strings.Contains(lowered, literalLowered) }
		default:
			says = func(url, _ string) bool { return strings.Contains(url, literal) }
		}
		list, near, plain = append(list, conf.Regex{Pattern: pattern, ICase: icase}), append(near, url), append(plain, says)
	}
	m := matcherOf(t, &conf.ACL{Type: conf.ACLURLRegex, Regexes: conf.RegexesOf(list...)})
	hits, misses := 0, 0
	r := rand.New(rand.NewPCG(9, 10))
	for round := range 16 { // 1.6 million comparisons
		url := near[r.IntN(large)]
		if round%2 == 0 {
			url = near[r.IntN(large/500)*500+1]
		}
		url = []string{url, url + "?q", url[:len(url)-1], "http://x/" + url, strings.ToLower(url), url + "/../" + url,
			strings.Replace(url, ".gif", "xgif", 1), "http://x.test/" + strings.Repeat("a/", 100) + url[7:]}[round/2]
		want, lowered := No, strings.ToLower(url)
		for i, says := range plain {
			if says == nil && engine[i].MatchString(url) || says != nil && says(url, lowered) {
				want = Yes
				break
			}
		}
		if got := m.match(t.Context(), urlOf(t, url)); got != want {
			t.Fatalf("%s: %d, want %d", url, got, want)
		}
		if want == Yes {
			hits++
		} else {
			misses++
		}
	}
	if hits == 0 || misses == 0 {
		t.Errorf("%d hits and %d misses say nothing", hits, misses)
	}
}
