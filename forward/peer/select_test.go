package peer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/acl"
)

const three = "cache_peer one.test parent 1 0 no-query\ncache_peer two.test parent 1 0 no-query\ncache_peer three.test sibling 1 0 no-query\n"

// Which next hops a request has, best first, by configuration and request.
func TestSelect(t *testing.T) {
	for _, c := range []struct {
		name, conf, method, url, fields, want string
	}{
		{"no peers", "", "GET", "http://o.test/", "", "DIRECT"},
		{"first parent, a sibling is none", three, "GET", "http://o.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"prefer_direct", three + "prefer_direct on", "GET", "http://o.test/", "", "DIRECT FIRST_UP_PARENT/one.test"},
		{"not hierarchical", three, "POST", "http://o.test/", "Content-Length: 0", "DIRECT"},
		{"nonhierarchical_direct off", three + "nonhierarchical_direct off", "POST", "http://o.test/", "Content-Length: 0", "FIRST_UP_PARENT/one.test DIRECT"},
		{"credentials go direct", three, "GET", "http://o.test/", "Authorization: Basic eDp5", "DIRECT"},
		{"credentials in the URL too", three, "GET", "http://u:p@o.test/", "", "DIRECT"},
		{"TRACE", three, "TRACE", "http://o.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"HEAD", three, "HEAD", "http://o.test/", "", "DIRECT"},
		{"hierarchy_stoplist", three + "hierarchy_stoplist cgi-bin ?", "GET", "http://o.test/a?b", "", "DIRECT"},
		{"a loop ends here", three, "GET", "http://o.test/", "Via: 1.0 here", "DIRECT"},
		{"another one's Via", three, "GET", "http://o.test/", "Via: 1.0 there", "FIRST_UP_PARENT/one.test DIRECT"},
		{"always_direct", three + "acl o dstdomain o.test\nalways_direct allow o", "GET", "http://o.test/", "", "DIRECT"},
		{"always_direct for others", three + "acl o dstdomain o.test\nalways_direct allow o", "GET", "http://p.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"never_direct", three + "never_direct allow all", "GET", "http://o.test/", "", "FIRST_UP_PARENT/one.test ANY_PARENT/one.test ANY_PARENT/two.test"},
		{"never_direct without peers", "never_direct allow all", "GET", "http://o.test/", "", ""},
		{"always_direct wins", three + "never_direct allow all\nalways_direct allow all", "GET", "http://o.test/", "", "DIRECT"},
		{"default", three + "cache_peer d.test parent 1 0 no-query default", "GET", "http://o.test/", "", "DEFAULT_PARENT/d.test DIRECT"},
		{"default is the last resort", three + "cache_peer d.test parent 1 0 no-query default\nnever_direct allow all", "GET", "http://o.test/", "",
			"DEFAULT_PARENT/d.test ANY_PARENT/one.test ANY_PARENT/two.test ANY_PARENT/d.test DEFAULT_PARENT/d.test"},
		{"cache_peer_access", three + "acl g method GET\ncache_peer_access one.test deny g", "GET", "http://o.test/", "", "FIRST_UP_PARENT/two.test DIRECT"},
		{"cache_peer_domain", three + "cache_peer_domain one.test .com", "GET", "http://o.test/", "", "FIRST_UP_PARENT/two.test DIRECT"},
		{"cache_peer_domain matches", three + "cache_peer_domain one.test .com .test", "GET", "http://o.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"cache_peer_domain excludes", three + "cache_peer_domain one.test !.test", "GET", "http://o.test/", "", "FIRST_UP_PARENT/two.test DIRECT"},
		{"cache_peer_domain excludes others", three + "cache_peer_domain one.test !.com", "GET", "http://o.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"neighbor_type_domain makes a parent", three + "neighbor_type_domain three.test parent .test\nneighbor_type_domain one.test sibling o.test\ncache_peer_access two.test deny all",
			"GET", "http://o.test/", "", "FIRST_UP_PARENT/three.test DIRECT"},
		{"all peers are denied", three + "cache_peer_access one.test deny all\ncache_peer_access two.test deny all", "GET", "http://o.test/", "", "DIRECT"},
	} {
		if got := load(t, c.conf).choice(t, c.method, c.url, c.fields); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Round robin counts turns by weight, and begins with the last of equal ones.
func TestTurns(t *testing.T) {
	for _, c := range []struct{ weights, want string }{
		{"1 1", "ba ba"}, {"1 1 1", "cba cba"}, {"1 2", "bba bba"}, {"2 1", "baa baa"}, {"3 1 1", "cbaaa"}, {"1", "aaa"},
	} {
		var lines, turns string
		for i, w := range strings.Fields(c.weights) {
			lines += fmt.Sprintf("cache_peer %c parent 1 0 no-query round-robin weight=%s\n", 'a'+i, w)
		}
		peers := load(t, lines)
		want := strings.ReplaceAll(c.want, " ", "")
		for range want {
			turns += strings.TrimSuffix(strings.TrimPrefix(peers.choice(t, "GET", "http://o.test/", ""), "ROUNDROBIN_PARENT/"), " DIRECT")
		}
		if sortedTurns(turns) != sortedTurns(want) || turns[0] != want[0] {
			t.Errorf("weights %s: %s, want %s", c.weights, turns, want)
		}
	}
}

// sortedTurns says how often each one had a turn.
func sortedTurns(turns string) string {
	var counts [26]int
	for _, c := range turns {
		counts[c-'a']++
	}
	return fmt.Sprint(counts)
}

// A connection tied to the client comes first, where the peer it leads to may still
// be used, or the origin be gone to.
func TestSelectPinned(t *testing.T) {
	for _, c := range []struct{ conf, to, want string }{
		{"", "", "pinned DIRECT"},
		{three, "", "pinned FIRST_UP_PARENT/one.test DIRECT"},
		{three, "two.test", "pinned/two.test FIRST_UP_PARENT/one.test DIRECT"},
		{three, "gone.test", "FIRST_UP_PARENT/one.test DIRECT"},
		{three + "cache_peer_access two.test deny all", "two.test", "FIRST_UP_PARENT/one.test DIRECT"},
		{three + "never_direct allow all", "", "FIRST_UP_PARENT/one.test ANY_PARENT/one.test ANY_PARENT/two.test"},
	} {
		q := question(t, "GET", "http://o.test/", "")
		q.Pinned, q.PinnedTo = true, c.to
		if hops, _ := load(t, c.conf).Select(t.Context(), q, nil); words(hops) != c.want {
			t.Errorf("%q to %q: %s, want %s", c.conf, c.to, words(hops), c.want)
		}
	}
}

// Keys divided among parents: the URL, the client, the user.
func TestSelectShares(t *testing.T) {
	const pair = "cache_peer a.test parent 1 0 no-query %[1]s\ncache_peer b.test parent 1 0 no-query %[1]s\n"
	for option, code := range map[string]string{"carp": CARP, "sourcehash": SourceHashParent, "userhash": UserHashParent} {
		r := load(t, fmt.Sprintf(pair, option))
		q := question(t, "GET", "http://o.test/", "")
		if hops, _ := r.Select(t.Context(), q, nil); option == "userhash" && words(hops) != "FIRST_UP_PARENT/a.test DIRECT" {
			t.Errorf("userhash of nobody: %s", words(hops))
		}
		q.Facts.Told = &acl.Told{AuthUser: "bob"}
		hops, _ := r.Select(t.Context(), q, nil)
		if len(hops) != 2 || hops[0].Code != code {
			t.Fatalf("%s: %s", option, words(hops))
		}
		owner := hops[0].Peer
		for range downAfter {
			owner.Failed()
		}
		owner.probed.Store(1 << 62) // no probe
		if other, _ := r.Select(t.Context(), q, nil); other[0].Code != code || other[0].Peer == owner {
			t.Errorf("%s without %s: %s", option, owner.Name, words(other))
		}
	}
}

// A choice allocates nothing.
func TestSelectAllocatesNothing(t *testing.T) {
	r := load(t, three+"cache_peer_domain one.test .test\ncache_peer_access one.test allow all\ncache_peer c.test parent 1 0 no-query carp\n")
	q, room := question(t, "GET", "http://o.test/", ""), make([]Hop, 0, 8)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() { r.Select(ctx, q, room) }); n != 0 {
		t.Errorf("%v allocations a choice", n)
	}
}

func TestDomainMatches(t *testing.T) {
	for _, c := range []struct {
		host, domain string
		want         bool
	}{
		{"o.test", "o.test", true}, {"O.TEST", "o.test", true}, {"a.o.test", "o.test", false}, {"a.o.test", ".o.test", true},
		{"o.test", ".o.test", true}, {"xo.test", ".o.test", false}, {"test", ".o.test", false}, {"", ".o.test", false}, {"o.test", "", false},
	} {
		if got := domainMatches(c.host, c.domain); got != c.want {
			t.Errorf("%q in %q: %v", c.host, c.domain, got)
		}
	}
}
