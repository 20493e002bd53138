package forward

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// The proxy's own icons (manager/internal-icon and its neighbours).
func TestIcons(t *testing.T) {
	r := start(t, nil, func(c *conf.Config) {
		c.GlobalInternalStatic = true
		c.HostnameAliases = []string{"alias.test"}
	})
	const path = "/squid-internal-static/icons/anthony-dir.gif"
	hit := "X-Cache: HIT from proxy.test\r\nX-Cache-Lookup: HIT from proxy.test:0\r\nVia: 1.0 proxy.test:0 (squid/test)\r\n"
	for i, c := range []struct{ target, closing, logged string }{
		{path, "Connection: close\r\n\r\nGIF8", "internal://proxy.test" + path},
		{"http://proxy.test" + path, "Proxy-Connection: close\r\n\r\nGIF8", "http://proxy.test" + path},
		{"http://other.test" + path, "Proxy-Connection: close\r\n\r\nGIF8", "http://other.test" + path},
		{"http://alias.test" + path, "Proxy-Connection: close\r\n\r\nGIF8", "http://alias.test" + path},
	} {
		got := r.exchange("GET " + c.target + " HTTP/1.0\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\nDate: ") || !strings.Contains(got, "\r\nCache-Control: max-age=86400\r\n"+hit+c.closing) {
			t.Errorf("%s: %q", c.target, got)
		}
		r.logged(i, "TCP_MEM_HIT/200", " GET "+c.logged+" - NONE/- image/gif")
	}
	got := r.exchange("GET " + path + " HTTP/1.0\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 304 Not Modified\r\nDate: ") || strings.Contains(got, "Cache-Control") || !strings.HasSuffix(got, "\r\n\r\n") {
		t.Errorf("conditional: %q", got)
	}
	r.logged(4, "TCP_IMS_HIT/304", " - NONE/- image/gif")
	got = r.exchange("HEAD " + path + " HTTP/1.0\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\n") || !strings.HasSuffix(got, "close\r\n\r\n") {
		t.Errorf("HEAD: %q", got)
	}
	for _, target := range []string{"GET /squid-internal-static/icons/no-such.gif", "POST " + path} {
		got = r.exchange(target + " HTTP/1.0\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.0 404 Not Found\r\n") || !strings.Contains(got, "X-Squid-Error: ERR_INVALID_REQ 0\r\n") {
			t.Errorf("%s: %q", target, got)
		}
	}
}

// Without global_internal_static another host's icons are another host's.
func TestIconsOfOthers(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	r := start(t, nil)
	got := r.exchange("GET http://" + origin + "/squid-internal-static/icons/anthony-dir.gif HTTP/1.0\r\n\r\n")
	if !strings.HasSuffix(got, "hello") {
		t.Errorf("%q", got)
	}
	got = r.exchange("GET /squid-internal-static/icons/anthony-dir.gif HTTP/1.0\r\n\r\n")
	if !strings.Contains(got, "Content-Type: image/gif") {
		t.Errorf("origin form: %q", got)
	}
}

// What neighbours fetch: the digest, which they may ask about, and the distances.
func TestDocumentsForNeighbours(t *testing.T) {
	s := newStoring(t, "digest_generation on\ndigest_rebuild_period 1 hour\ndigest_rewrite_period 1 hour\ncache_dir null {DIR}")
	s.settled(func() bool { return s.srv.neighbours.Stock() != nil })
	const path = "/squid-internal-periodic/store_digest"
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	stock := s.srv.neighbours.Stock()
	ends := "X-Cache: HIT from proxy.test\r\nX-Cache-Lookup: HIT from proxy.test:0\r\nVia: 1.0 proxy.test:0 (squid/test)\r\nConnection: close\r\n\r\n"
	about := fmt.Sprintf("Expires: %s\r\nLast-Modified: %s\r\n", date(stock.Expires), date(stock.Made))
	if got, want := s.exchange("GET "+path+" HTTP/1.0\r\n\r\n"), fmt.Sprintf("Content-Length: %d\r\n%s%s%s", len(stock.Bytes), about, ends, stock.Bytes); !strings.HasSuffix(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	s.logged(0, "TCP_MEM_HIT/200", path+" - NONE/- application/cache-digest")
	got := s.exchange("GET " + path + " HTTP/1.0\r\nIf-Modified-Since: " + date(stock.Made) + "\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 304 Not Modified\r\nDate: "+date(stock.Made)+"\r\nContent-Type: application/cache-digest\r\n"+about) || !strings.HasSuffix(got, ends) {
		t.Errorf("%q", got)
	}
	s.logged(1, "TCP_IMS_HIT/304", path+" - NONE/- application/cache-digest")
	got = s.exchange("GET /squid-internal-dynamic/netdb HTTP/1.0\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 200 OK\r\nServer: squid/test\r\nDate: ") || !strings.Contains(got, "\r\nContent-Length: 0\r\nLast-Modified: ") {
		t.Errorf("%q", got)
	}
}
