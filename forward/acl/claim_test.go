package acl

import (
	"context"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// asked counts how often DNS is asked whether a name belongs to an address; it says
// that one does and no other.
type asked struct {
	dns.Resolver
	belongs string
	n       int
}

func (r *asked) Belongs(_ context.Context, host string, _ netip.Addr) (bool, error) {
	r.n++
	return host == r.belongs, nil
}

// A deny line that the claimed name fits denies without asking DNS, whose answer would
// change nothing; wherever it would change something it is asked.
func TestDenyLinesDoNotWaitForClaims(t *testing.T) {
	for _, c := range []struct {
		lines, host string
		allowed     bool
		questions   int
	}{
		{"acl x dstdomain bad.test\nhttp_access deny x\nhttp_access allow all", "bad.test", false, 0},
		{"acl x dstdom_regex ^bad\nhttp_access deny x\nhttp_access allow all", "bad.test", false, 0},
		{"acl x url_regex ^bad\nhttp_access deny x\nhttp_access allow all", "bad.test", false, 0},
		{"acl x dstdomain good.test\nhttp_access deny !x\nhttp_access allow all", "bad.test", false, 0},
		{"acl x dstdomain bad.test\nacl no port 1\nhttp_access deny x no\nhttp_access allow all", "bad.test", true, 0},
		{"acl x dstdomain bad.test\nhttp_access deny x\nhttp_access allow all", "good.test", true, 1},
		{"acl x dstdomain bad.test\nhttp_access deny x\nhttp_access allow all", "other.test", false, 1}, // unknown is denied
		{"acl x dstdomain good.test\nhttp_access deny !x\nhttp_access allow all", "good.test", true, 1},
		{"acl x dstdomain good.test\nhttp_access allow x\nhttp_access deny all", "good.test", true, 1},
		{"acl x dstdomain other.test\nhttp_access allow x\nhttp_access deny all", "other.test", false, 1},
		{"acl x dstdomain 192.0.2.1\nhttp_access deny x\nhttp_access allow all", "192.0.2.1", false, 1},
	} {
		names := &asked{belongs: "good.test"}
		set := load(t, c.lines+"\n", Sources{Names: names})
		f := facts(t, "CONNECT "+c.host+":443 HTTP/1.0")
		f.Client, f.Dialled = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddrPort("192.0.2.9:443")
		if a := set.HTTPAccess.Check(t.Context(), f); a.Allowed() != c.allowed || names.n != c.questions {
			t.Errorf("%q, %s: allowed %v after %d questions", c.lines, c.host, a.Allowed(), names.n)
		}
	}
}

// counted is a set of names that counts how often it is asked.
type counted struct{ n int }

func (c *counted) has(string) bool { c.n++; return false }

// A deny line asks the set once, be the client intercepted or not, and says what a
// matcher says.
func TestDenyLinesAskASetOnce(t *testing.T) {
	names := &asked{belongs: "good.test"}
	set := &counted{}
	m := &dstDomain{set, names}
	cond := Cond{refs: []ref{{name: "x", match: m, claim: m}}}
	for _, host := range []string{"good.test", "other.test"} {
		f := facts(t, "CONNECT "+host+":443 HTTP/1.0")
		for _, dialled := range []netip.AddrPort{{}, netip.MustParseAddrPort("192.0.2.9:443")} {
			f.Dialled = dialled
			want := m.match(t.Context(), f)
			set.n = 0
			var a Answer
			if got := cond.test(t.Context(), f, &a, true); got != want || set.n != 1 {
				t.Errorf("%s, dialled %v: %v after %d questions, want %v", host, dialled, got, set.n, want)
			}
		}
	}
}

// What is settled of a URL's claim is what the matcher says.
func TestURLRegexSettles(t *testing.T) {
	names := &asked{belongs: "good.test"}
	for _, pattern := range []string{"good", "other", "nothing"} {
		list := regexes(false, pattern)
		set, err := compileRegexes(&list)
		if err != nil {
			t.Fatal(err)
		}
		m := &urlRegex{set, names}
		for _, host := range []string{"good.test", "other.test"} {
			f := facts(t, "CONNECT "+host+":443 HTTP/1.0")
			f.Dialled = netip.MustParseAddrPort("192.0.2.9:443")
			want := No
			switch {
			case host == "good.test" && pattern == "good":
				want = Yes
			case host == "other.test" && pattern == "other":
				want = Missing
			}
			if got, settled := m.match(t.Context(), f), m.settle(t.Context(), f, m.claimed(f)); got != want || settled != want {
				t.Errorf("%s of %s: %v, settled %v, want %v", pattern, host, got, settled, want)
			}
		}
	}
}
