package forward

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// asking is a transaction that asks for a URL, as far as the choice of a way
// looks at it.
func asking(t *testing.T, r *rig, method, url string, fields ...string) *transaction {
	t.Helper()
	x := r.srv.newTransaction(&client{srv: r.srv, ln: r.srv.listeners[0], remote: netip.MustParseAddrPort("127.0.0.1:1")})
	x.in = append(x.in, method+" "+url+" HTTP/1.0\r\n"+strings.Join(append(fields, "", ""), "\r\n")...)
	if x.parse() != http1.Complete || x.fault != http1.NoFault {
		t.Fatalf("%q: %v", x.in, x.fault)
	}
	if f := x.understand(); f != nil {
		t.Fatalf("%q: %+v", x.in, f)
	}
	x.fillFacts()
	x.countLoops()
	t.Cleanup(x.done)
	return x
}

// choice is the ways of a request in the words of the log.
func (x *transaction) choice() string {
	if f := x.chooseWays(); f != nil {
		return string(f.page)
	}
	var words []string
	for _, w := range x.ways {
		word := w.code
		if w.peer != nil {
			word += "/" + w.peer.Name
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

const three = "cache_peer one.test parent 1 0 no-query\ncache_peer two.test parent 1 0 no-query\ncache_peer three.test sibling 1 0 no-query\n"

// Which ways a request has, best first, by configuration and request.
func TestWays(t *testing.T) {
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
		{"a loop ends here", three, "GET", "http://o.test/", "Via: 1.0 proxy.test:0 (squid/test)", "DIRECT"},
		{"another one's Via", three, "GET", "http://o.test/", "Via: 1.0 other.test:0 (squid/test)", "FIRST_UP_PARENT/one.test DIRECT"},
		{"always_direct", three + "acl o dstdomain o.test\nalways_direct allow o", "GET", "http://o.test/", "", "DIRECT"},
		{"always_direct for others", three + "acl o dstdomain o.test\nalways_direct allow o", "GET", "http://p.test/", "", "FIRST_UP_PARENT/one.test DIRECT"},
		{"never_direct", three + "never_direct allow all", "GET", "http://o.test/", "", "FIRST_UP_PARENT/one.test ANY_PARENT/one.test ANY_PARENT/two.test"},
		{"never_direct without peers", "never_direct allow all", "GET", "http://o.test/", "", "ERR_CANNOT_FORWARD"},
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
		r := start(t, nil, file(t, c.conf))
		if got := asking(t, r, c.method, c.url, c.fields).choice(); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
		r.srv.Shutdown(0)
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
		r := start(t, nil, file(t, lines))
		want := strings.ReplaceAll(c.want, " ", "")
		for range want {
			turns += strings.TrimSuffix(strings.TrimPrefix(asking(t, r, "GET", "http://o.test/").choice(), "ROUNDROBIN_PARENT/"), " DIRECT")
		}
		if sortedTurns(turns) != sortedTurns(want) || turns[0] != want[0] {
			t.Errorf("weights %s: %s, want %s", c.weights, turns, want)
		}
		r.srv.Shutdown(0)
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

// max-conn counts connections to the parent, idle ones too: while there are so
// many, requests go elsewhere.
func TestMaxConn(t *testing.T) {
	goOn := make(chan struct{})
	asked := make(chan struct{}, 10)
	parent := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			asked <- struct{}{}
			if strings.Contains(head, "/slow ") {
				<-goOn
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nparent")
		}
	})
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\norigin")
	host, port, _ := net.SplitHostPort(parent)
	r := start(t, nil, file(t, "cache_peer "+host+" parent "+port+" 0 no-query max-conn=1"))
	get := func(path string) string {
		_, body, _ := strings.Cut(r.exchange("GET http://"+origin+path+" HTTP/1.0\r\n\r\n"), "\r\n\r\n")
		return body
	}
	slow := make(chan string)
	go func() { slow <- get("/slow") }()
	<-asked
	if got := get("/beside"); got != "origin" {
		t.Errorf("beside it: %q", got)
	}
	close(goOn)
	if got := <-slow; got != "parent" {
		t.Errorf("the first: %q", got)
	}
	if got := get("/idle"); got != "origin" { // as 2.6: the kept one counts
		t.Errorf("while it is kept: %q", got)
	}
	r.srv.pool.DropIdle()
	if got := get("/free"); got != "parent" {
		t.Errorf("when it is closed: %q", got)
	}
}

// A parent that failed ten times in a row is left out until a probe reaches it.
func TestDeadParentComesBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	r := start(t, nil, file(t, "cache_peer "+host+" parent "+port+" 0 no-query\n"))
	p := r.srv.current.Load().peers.list[0]
	for i := range peerDownAfter {
		if got := asking(t, r, "GET", "http://o.test/").choice(); got != "FIRST_UP_PARENT/"+host+" DIRECT" {
			t.Fatalf("after %d failures: %s", i, got)
		}
		r.srv.fails(p)
	}
	p.probed.Store(time.Now().UnixNano()) // no probe yet
	if got := asking(t, r, "GET", "http://o.test/").choice(); got != "DIRECT" {
		t.Errorf("after %d failures: %s", peerDownAfter, got)
	}
	if l, err = net.Listen("tcp", l.Addr().String()); err != nil {
		t.Skip("the port is taken")
	}
	defer l.Close()
	p.probed.Store(0)
	if got := asking(t, r, "GET", "http://o.test/").choice(); got != "DIRECT" {
		t.Errorf("while it is probed: %s", got)
	}
	for end := time.Now().Add(10 * time.Second); p.failures.Load() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := asking(t, r, "GET", "http://o.test/").choice(); got != "FIRST_UP_PARENT/"+host+" DIRECT" {
		t.Errorf("after the probe: %s", got)
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
