package holdings

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// shelf is Holdings with objects put into them.
func shelf(t testing.TB, memory int64, lines string) Holdings {
	t.Helper()
	s, err := store.Open(store.Config{Memory: memory, MaxInMemory: 1 << 20, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg, report := conf.LoadText("squid.conf", []byte("acl all src 0.0.0.0/0.0.0.0\nvisible_hostname proxy.test\nhttp_port 3128\n"+lines), conf.Options{})
	if cfg == nil {
		t.Fatalf("%+v", report.Lines)
	}
	rules, err := freshness.NewRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	purge := func(url []byte, group string) bool { return s.PurgeURL(url, []byte(group)) }
	return Holdings{s, rules, purge}
}

// made is the store.Filler of what is there at once.
type made struct{}

func (made) Fill() {}
func (made) Wake() {}
func (made) Stop() {}

// put stores an empty object.
func (h Holdings) put(method http1.Method, url string, f store.Metadata) store.Key {
	parts := store.KeyParts{Method: method, URL: []byte(url)}
	key := parts.Key()
	e := h.Store.Begin(store.Opening{Key: key, Method: method, URL: []byte(url)}, made{}, nil)
	e.Publish(&store.Head{Key: key, Bytes: []byte("HTTP/1.0 200 OK\r\n\r\n"), Metadata: f})
	e.Complete()
	return key
}

// What neighbours are told by ICP (30 s) and HTCP (10 s), with icp_hit_stale, and
// what the digest has.
func TestHoldings(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) store.Time { return store.TimeOf(now.Add(d).Unix()) }
	for _, c := range []struct {
		name                    string
		facts                   store.Metadata
		icp, htcp, kept, digest bool
	}{
		{"hour", store.Metadata{Timestamp: at(0), Expires: at(time.Hour), LastMod: store.Unknown}, true, true, true, true},
		{"20s", store.Metadata{Timestamp: at(0), Expires: at(20 * time.Second), LastMod: store.Unknown}, false, true, true, false},
		{"stale", store.Metadata{Timestamp: at(-time.Hour), Expires: at(-time.Minute), LastMod: store.Unknown}, false, false, true, false},
		{"error", store.Metadata{Timestamp: at(0), Expires: at(time.Hour), LastMod: store.Unknown, Flags: store.Negative}, true, true, true, false},
		{"old error", store.Metadata{Timestamp: at(-time.Hour), Expires: at(-time.Minute), LastMod: store.Unknown, Flags: store.Negative}, false, false, false, false},
		{"by age", store.Metadata{Timestamp: at(-time.Hour), Expires: store.Unknown, LastMod: at(-100 * time.Hour)}, true, true, true, true},
		{"gif", store.Metadata{Timestamp: at(-time.Hour), Expires: at(-time.Minute), LastMod: store.Unknown}, true, true, true, true},
		{"asked always", store.Metadata{Timestamp: at(0), Expires: at(time.Hour), LastMod: store.Unknown, Flags: store.RefreshRequest}, false, false, true, false},
		{"asked always, by age", store.Metadata{Timestamp: at(-time.Hour), Expires: store.Unknown, LastMod: at(-100 * time.Hour), Flags: store.RefreshRequest}, false, false, true, false},
		{"gif asked always", store.Metadata{Timestamp: at(-time.Hour), Expires: at(-time.Hour), LastMod: store.Unknown, Flags: store.RefreshRequest}, false, false, true, false},
		{"gif bound", store.Metadata{Timestamp: at(-time.Hour), Expires: at(-time.Minute), LastMod: store.Unknown, Flags: store.Revalidate}, false, false, true, false},
	} {
		h := shelf(t, 1<<20, "refresh_pattern /gif 1440 20% 4320 override-expire\nrefresh_pattern . 0 20% 4320\n")
		url := "http://www.test/" + c.name
		h.put(http1.GET, url, c.facts)
		found := func(d time.Duration) bool { _, ok := h.Find(http1.GET, []byte(url), d); return ok }
		if icp, htcp, kept := found(30*time.Second), found(10*time.Second), found(-1); icp != c.icp || htcp != c.htcp || kept != c.kept {
			t.Errorf("%s: icp %v, htcp %v, kept %v", c.name, icp, htcp, kept)
		}
		h.Walk(0, now.Add(10*time.Minute), func(_ digest.Key, fresh bool) bool {
			if fresh != c.digest {
				t.Errorf("%s: in the digest: %v", c.name, fresh)
			}
			return true
		})
	}
}

// HTCP is told times, and CLR takes everything of a URL.
func TestHoldingsTellAndRemove(t *testing.T) {
	h := shelf(t, 1<<20, "")
	now := time.Now()
	f := store.Metadata{Timestamp: store.TimeOf(now.Unix() - 100), Expires: store.TimeOf(now.Unix() + 1000), LastMod: store.Unknown}
	url := "http://www.test/a"
	h.put(http1.GET, url, f)
	h.put(http1.HEAD, url, f)
	o, ok := h.Find(http1.GET, []byte(url), 0)
	if !ok || o.Age < 100*time.Second || o.Age > 110*time.Second || o.Expires.Unix() != now.Unix()+1000 || !o.LastModified.IsZero() {
		t.Errorf("%v %+v", ok, o)
	}
	head := url + "head"
	h.put(http1.HEAD, head, f)
	if _, ok := h.Find(http1.HEAD, []byte(head), 0); !ok {
		t.Error("what a HEAD brought does not answer a HEAD")
	}
	if _, ok := h.Find(http1.GET, []byte(head), 0); ok {
		t.Error("what a HEAD brought answers a GET")
	}
	h.Remove([]byte(head))
	if !h.Remove([]byte(url)) || h.Remove([]byte(url)) || h.Len() != 0 {
		t.Errorf("not removed once; %d objects are left", h.Len())
	}
}

// BenchmarkDigestOfStore makes the digest of a million objects of a store. Reported is
// the time of the CPU for the whole and for the longest slice.
func BenchmarkDigestOfStore(b *testing.B) {
	const objects = 1_000_000
	h := shelf(b, 8<<30, "refresh_pattern . 0 20% 4320\n")
	now := time.Now()
	for i := range objects {
		h.put(http1.GET, fmt.Sprintf("http://www.test/%d", i), store.Metadata{Timestamp: store.TimeOf(now.Unix()),
			Expires: store.TimeOf(now.Unix() + 3600*int64(i%3)), LastMod: store.Unknown})
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu := func() time.Duration {
		var r unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	var whole, longest time.Duration
	for b.Loop() {
		builder := digest.NewBuilder(h, 5, now.Add(time.Minute), 10)
		for done := false; !done; {
			began := cpu()
			done = builder.Slice(time.Now)
			slice := cpu() - began
			whole, longest = whole+slice, max(longest, slice)
		}
		if builder.Digest().Count < objects/2 {
			b.Fatal(builder.Digest().Count, "objects")
		}
	}
	b.ReportMetric(float64(whole.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(longest.Microseconds())/1000, "cpu-ms/slice-max")
}
