package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
)

// shop is a Getter with documents by URL.
type shop struct {
	mu    sync.Mutex
	docs  map[string]Document
	asked []string
	heard chan string
}

func (s *shop) Get(ctx context.Context, through *Peer, url string, kind Kind) (*Document, error) {
	by := "from there"
	if through != nil {
		by = "through " + through.Name
	}
	s.mu.Lock()
	d, ok := s.docs[url]
	if ok { // the body can be read once
		b, _ := io.ReadAll(d.Body)
		d.Body = io.NopCloser(bytes.NewReader(b))
		s.docs[url] = Document{Status: d.Status, Expires: d.Expires, Body: io.NopCloser(bytes.NewReader(b))}
	}
	s.asked = append(s.asked, url+" "+by)
	s.mu.Unlock()
	select {
	case s.heard <- url:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !ok {
		return nil, errors.New("connection refused")
	}
	return &d, nil
}

func (s *shop) put(url string, status int, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[url] = Document{Status: status, Body: io.NopCloser(bytes.NewReader(body))}
}

func newShop(r *rig) *shop {
	s := &shop{docs: map[string]Document{}, heard: make(chan string)}
	r.env.Getter = s
	return s
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// A digest is fetched when a request could have used it, and decides from then on;
// that of the second neighbour is asked for a minute later.
func TestDigestsDecide(t *testing.T) {
	r := load(t, "cache_peer one.test sibling 3128 0 no-netdb-exchange login=me:p@ss\ncache_peer two.test parent 3128 0 no-netdb-exchange\n")
	s := newShop(r)
	d := digest.New(10, 5)
	d.Add(objectKey([]byte("http://o.test/in")))
	s.put("http://me:p%40ss@one.test:3128"+DigestPath, 200, d.Append(nil))
	r.start(nil)
	defer r.stop()
	choice := func(url, field string) string { return r.choice(t, "GET", url, field) }
	if got := choice("http://o.test/in", ""); got != "FIRST_UP_PARENT/two.test DIRECT" {
		t.Errorf("before there is a digest: %s", got)
	}
	if url := <-s.heard; url != "http://me:p%40ss@one.test:3128"+DigestPath {
		t.Fatalf("fetched %s", url)
	}
	eventually(t, "the digest is not used", func() bool { return r.list[0].remote.got.Load() != nil })
	if got := choice("http://o.test/in", ""); got != "CD_SIBLING_HIT/one.test FIRST_UP_PARENT/two.test DIRECT" {
		t.Errorf("in the digest: %s", got)
	}
	if got := choice("http://o.test/out", ""); got != "FIRST_UP_PARENT/two.test DIRECT" {
		t.Errorf("not in the digest: %s", got)
	}
	if got := choice("http://o.test/in", "Via: 1.0 here"); got != "DIRECT" {
		t.Errorf("a loop: %s", got)
	}
	if turn := r.digestTurn(); time.Until(turn) < digestGap {
		t.Errorf("the next digest may be asked for in %v", time.Until(turn))
	}
}

// What is no digest is done without, and said.
func TestBadDigests(t *testing.T) {
	r := load(t, "cache_peer one.test parent 3128 0 no-netdb-exchange\n")
	s := newShop(r)
	url := "http://one.test:3128" + DigestPath
	good := digest.New(10, 5).Append(nil)
	for name, c := range map[string]struct {
		status int
		body   []byte
		why    string
	}{
		"not there": {404, nil, "status 404"}, "not modified": {304, nil, "status 304"},
		"cut": {200, good[:60], "premature end of digest"}, "text": {200, bytes.Repeat([]byte("x"), 200), "digest requires version 30840; have: 5"},
		"good": {200, good, ""},
	} {
		s.put(url, c.status, c.body)
		go func() { <-s.heard }()
		d, _, why := r.list[0].fetchDigest(t.Context())
		if why != c.why || (d == nil) != (c.why != "") {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// A peer whose monitor is not content is dead until it is.
func TestMonitor(t *testing.T) {
	r := load(t, "cache_peer one.test parent 3128 0 no-netdb-exchange no-digest monitorurl=http://mon.test/check monitorsize=2-5 monitorinterval=1\nnever_direct allow all\n")
	s := newShop(r)
	p := r.list[0]
	for _, c := range []struct {
		status int
		body   string
		why    string
	}{
		{200, "good", ""}, {500, "good", "status != 200 (500)"}, {200, "x", "reply size 1 < min 2"}, {200, "far too long", "reply size > max 5"}, {200, "12345", ""},
	} {
		s.put("http://mon.test/check", c.status, []byte(c.body))
		go func() { <-s.heard }()
		if why := p.check(t.Context()); why != c.why {
			t.Errorf("%d %q: %q, want %q", c.status, c.body, why, c.why)
		}
	}
	s.put("http://mon.test/check", 503, nil)
	r.start(nil)
	defer r.stop()
	if url := <-s.heard; url != "http://mon.test/check" {
		t.Fatalf("asked for %s", url)
	}
	eventually(t, "it is not dead", func() bool { return r.choice(t, "GET", "http://o.test/", "") == "" })
	s.put("http://mon.test/check", 200, []byte("good"))
	eventually(t, "it stays dead", func() bool {
		select {
		case <-s.heard: // one that was under way may still have had the old answer
		default:
		}
		return r.choice(t, "GET", "http://o.test/", "") != ""
	})
	if s.mu.Lock(); s.asked[len(s.asked)-1] != "http://mon.test/check through one.test" {
		t.Errorf("asked %q", s.asked)
	}
	s.mu.Unlock()
}

// What a parent has measured is learnt, and sends requests to it.
func TestExchange(t *testing.T) {
	r := load(t, "cache_peer one.test parent 3128 0 no-digest\ncache_peer two.test parent 3128 0 no-digest\n")
	s := newShop(r)
	r.env.Ways = netdb.New(900, 1000)
	doc := netdb.AppendTold(nil, netdb.Told{Network: netip.MustParseAddr("127.0.0.0"), RTT: 30, Hops: 3})
	s.put("http://two.test:3128"+NetDBPath, 200, append(bytes.Repeat(doc, 300), "\x01\x02"...))
	go func() { <-s.heard }()
	r.list[1].learnAll(t.Context())
	if got := r.choice(t, "GET", "http://o.test/", ""); got != "FIRST_UP_PARENT/one.test DIRECT" {
		t.Errorf("a site that is not known: %s", got)
	}
	r.nameSite(t.Context(), "o.test", nil) // 127.0.0.1
	if got := r.choice(t, "GET", "http://o.test/", ""); got != "CLOSEST_PARENT/two.test FIRST_UP_PARENT/one.test DIRECT" {
		t.Errorf("%s", got)
	}
	// Nearer from here than from there, by our own word.
	r.env.Ways.Measured(netip.MustParseAddr("127.0.0.1"), 20*time.Millisecond, 9, time.Now())
	if got := r.choice(t, "GET", "http://o.test/", ""); got != "DIRECT" { // minimum_direct_rtt 400
		t.Errorf("measured from here: %s", got)
	}
}

// What was measured outlives the process, in 2.6's file.
func TestWaysAreKept(t *testing.T) {
	dir := t.TempDir()
	r := load(t, "cache_dir ufs "+dir+" 100 16 256\n")
	r.env.Ways = netdb.New(900, 1000)
	r.saveWays()
	if _, err := os.Stat(filepath.Join(dir, "netdb_state")); !os.IsNotExist(err) {
		t.Errorf("nothing was measured, and written: %v", err)
	}
	r.env.Ways.Name("www.test", netip.MustParseAddr("192.0.2.1"), time.Unix(1e9, 0))
	r.env.Ways.Measured(netip.MustParseAddr("192.0.2.1"), 20*time.Millisecond, 9, time.Unix(1e9, 0))
	r.start(nil)
	r.stop() // saves
	again := load(t, "cache_dir ufs "+dir+" 100 16 256\n")
	again.env.Ways = netdb.New(900, 1000)
	again.LoadWays()
	if rtt, hops, ok := again.env.Ways.Host("www.test", time.Now()); rtt != 20 || hops != 9 || !ok {
		t.Errorf("%v %v %v", rtt, hops, ok)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	var text strings.Builder
	if err := again.env.Ways.Save(&text); err != nil || !strings.HasPrefix(text.String(), "192.0.2.0 ") {
		t.Errorf("%v %q", err, text.String())
	}
}

// The members of a group are counted, and as many answers waited for.
func TestGroupIsCounted(t *testing.T) {
	one, two, group := anAddress(), anAddress(), anAddress() // the group is played by one socket
	f := listening(t, fmt.Sprintf("mcast_icp_query_timeout 3000\nicp_query_timeout 20000\ncache_peer %s multicast 1 23131 ttl=1\n"+
		"cache_peer %s parent 1 23131 multicast-responder no-digest\ncache_peer %s sibling 1 23131 multicast-responder no-digest\n", group, one, two))
	members := []*net.UDPConn{socketAt(t, netip.AddrPortFrom(one, 23131)), socketAt(t, netip.AddrPortFrom(two, 23131))}
	cacheAt(t, netip.AddrPortFrom(group, 23131), func(_ *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		for _, c := range members {
			say(c, from, icp.Miss, m.Number)
		}
	})
	g := f.rig.list[0]
	f.countOnce(t.Context(), f.rig.Set, g, asked{peer: g, to: netip.AddrPortFrom(group, 23131)})
	if n := g.groupSize(); n != 2 {
		t.Fatalf("%d members", n)
	}
	hops, _ := f.rig.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
	if want := fmt.Sprintf("FIRST_PARENT_MISS/%s FIRST_UP_PARENT/%s DIRECT", one, one); words(hops) != want {
		t.Errorf("%s, want %s", words(hops), want)
	}
}

// The digest of this cache is there at once, and has what the cache has.
func TestStock(t *testing.T) {
	f := listening(t, "digest_rebuild_period 1 second\ndigest_rewrite_period 1 second")
	f.Start()
	eventually(t, "no digest", func() bool { return f.Stock() != nil })
	if d, err := digest.Read(bytes.NewReader(f.Stock().Bytes)); err != nil || d.Count != 0 || !f.Stock().Expires.After(time.Now().Add(-time.Minute)) {
		t.Errorf("%v %+v", err, d)
	}
	off := *f.rig.cfg
	off.DigestGeneration = false
	l := f.local()
	l.Config, l.Peers = &off, New(&off, f.rig.lists, &f.rig.env)
	f.Use(l)
	if f.Stock() != nil {
		t.Error("digest_generation off, and a digest")
	}
}
