package forward

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// objectOrigin answers every request with a kilobyte that may be stored.
func objectOrigin(t testing.TB) string {
	return plainOrigin(t, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\nCache-Control: max-age=86400\r\nContent-Length: 1024\r\n\r\n%s",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), strings.Repeat("x", 1024)))
}

// hitter is a client whose requests need no network: they are put where those that came
// are, and what is answered goes to a socket that nobody reads, which drops it.
type hitter struct{ *client }

func newHitter(t testing.TB, r *rig) *hitter {
	nobody, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nobody.Close() })
	nobody.SetReadBuffer(1)
	c, err := net.DialUDP("udp4", nil, nobody.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	wrapped, err := sock.Wrap(c)
	if err != nil {
		t.Fatal(err)
	}
	cl := &client{srv: r.srv, ln: r.srv.ports.Listeners()[0], c: wrapped, remote: netip.MustParseAddrPort("127.0.0.1:1"), since: time.Now(), served: 2}
	return &hitter{cl}
}

// ask has one request served.
func (h *hitter) ask(t testing.TB, request []byte) {
	h.take()
	h.x.in = append(h.x.in, request...)
	if h.serveReceived() || h.x != nil {
		t.Fatal("the client was not kept")
	}
}

// hitRequests are requests for objects of an origin, each of which is stored.
func hitRequests(t testing.TB, r *rig, objects int) (requests [][]byte) {
	origin := objectOrigin(t)
	for i := range objects {
		requests = append(requests, fmt.Appendf(nil, "GET http://%s/object/%d HTTP/1.1\r\nHost: %[1]s\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"+
			"Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nProxy-Connection: keep-alive\r\n\r\n", origin, i))
		repeat(t, r, string(requests[i]), "x")()
	}
	return requests
}

// onlyHits says so of what was logged beside the misses that stored the objects, whose
// lines may come behind those of the first hits.
func onlyHits(t testing.TB, r *rig, objects int) {
	misses := 0
	for _, line := range r.log(objects + 1) {
		switch {
		case strings.Contains(line, "TCP_MEM_HIT/200"):
		case strings.Contains(line, "TCP_MISS/200") && misses < objects:
			misses++
		default:
			t.Fatal(line)
		}
	}
}

// BenchmarkHit is the way of a hit in memory through the proxy, without the client's
// socket but for what a datagram costs. With -cpu 1,2: two processors serve at least
// 1.8 times as many where nothing is logged. A log has one write at a time, which those
// who are there together share: so there are many.
func BenchmarkHit(b *testing.B) {
	b.Run("unlogged", func(b *testing.B) { hits(b, func(c *conf.Config) { c.AccessLogs = nil }) })
	b.Run("logged", func(b *testing.B) { onlyHits(b, hits(b, func(*conf.Config) {}), hitObjects) })
}

const hitObjects = 64

func hits(b *testing.B, edit func(*conf.Config)) *rig {
	r := start(b, nil, file(b, "cache_mem 8 MB\n"), edit)
	requests := hitRequests(b, r, hitObjects)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		h := newHitter(b, r)
		for n := 0; pb.Next(); n++ {
			h.ask(b, requests[n%len(requests)])
		}
	})
	b.StopTimer()
	return r
}

func TestHitAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := start(t, nil, file(t, "cache_mem 8 MB\n"))
	requests := hitRequests(t, r, 3)
	h, at := newHitter(t, r), 0
	ask := func() {
		h.ask(t, requests[at%len(requests)])
		at++
	}
	for range 100 {
		ask()
	}
	// The log's buffer is made now and then.
	if n := testing.AllocsPerRun(1000, ask); n >= 1 {
		t.Errorf("%v allocations a hit", n)
	}
	onlyHits(t, r, len(requests))
}

// What is remembered of a stored head makes no difference: the first hits, of which it is
// made, and those that come later are alike, whatever a configuration does with the head.
func TestHitsAreAlike(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nserver: origin\r\nX-Own: a: b\r\nSet-Cookie: c=d\r\nVia: 1.1 other\r\nAge: 3\r\n" +
		"Connection: X-Hop\r\nX-Hop: gone\r\nCache-Control: max-age=86400\r\nContent-Length: 5\r\n"
	for name, lines := range map[string]string{
		"plain": "", "without Via": "via off\n", "without a field": "header_access Server deny all\n",
		"replaced":     "header_access X-Own deny all\nheader_access Content-Type deny all\nheader_replace Content-Type x/y\n",
		"logged":       "logformat f %<st %{X-Own}<h %{Content-Type}<h %{Via}<h\naccess_log DIR/own.log f\n",
		"Cache-Status": "cache_status_header on\n",
	} {
		t.Run(name, func(t *testing.T) {
			origin := plainOrigin(t, []byte(head+"Date: "+time.Now().UTC().Format(http.TimeFormat)+"\r\n\r\nhello"))
			r := start(t, nil, file(t, "cache_mem 8 MB\nacl all src 0/0\n"+strings.ReplaceAll(lines, "DIR", t.TempDir())))
			for _, more := range []string{"", "Range: bytes=1-2\r\n", "Range: bytes=0-0,2-2\r\n", "If-None-Match: \"x\"\r\n"} {
				first := ""
				for n := range 6 {
					c := r.dial()
					fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\n%s\r\n", origin, more)
					b, err := io.ReadAll(c)
					c.Close()
					if err != nil {
						t.Fatal(err)
					}
					answer := ages.ReplaceAllString(boundaries.ReplaceAllString(string(b), "BOUNDARY"), "Age: N")
					switch {
					case n == 0 && more == "": // the miss
					case first == "":
						first = answer
						if !strings.Contains(answer, "X-Cache: HIT") {
							t.Fatalf("%q is no hit", answer)
						}
					case answer != first:
						t.Fatalf("%q, then %q", first, answer)
					}
				}
			}
		})
	}
}

var (
	ages       = regexp.MustCompile(`Age: \d+|age=\d+|ttl=\d+`)
	boundaries = regexp.MustCompile(`[^ "\-]+:[0-9A-F]{32}`)
)
