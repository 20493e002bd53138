package accesslog

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// storeLines are lines 2.6 wrote, and what it wrote them about.
var storeLines = []struct {
	entry StoreEntry
	// head is the reply's, with a body of so many bytes; empty for one that is not in memory.
	head  string
	came  int64
	strip bool
	want  string
}{
	{StoreEntry{Action: "SWAPOUT", Dir: 1, Key: [16]byte{0xE3, 0xA6, 0xDF, 0x98, 0x51, 0x7D, 0x4C, 0xF1, 0x03, 0x11, 0x7F, 0x2C, 0xD4, 0xDB, 0xC8, 0x49}, Method: "GET", URL: []byte("http://127.0.0.1:24281/plain?h=1")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nCache-Control: max-age=1000\r\nContent-Length: 10\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", 10, false,
		"1796072831.144 SWAPOUT 01 00000000 E3A6DF98517D4CF103117F2CD4DBC849  200 1796072831        -1 1796073831 text/html 10/10 GET http://127.0.0.1:24281/plain?h=1\n"},
	{StoreEntry{Action: "SWAPOUT", Dir: 0, Number: 0x1F, Method: "GET", URL: []byte("http://127.0.0.1:24281/lastmod?h=1")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nLast-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\nExpires: Thu, 01 Jan 2099 00:00:00 GMT\r\n\r\n", 10, true,
		"1796072831.144 SWAPOUT 00 0000001F 00000000000000000000000000000000  200 1796072831 946684800 4070908800 unknown -1/10 GET http://127.0.0.1:24281/lastmod?\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Method: "GET", URL: []byte("http://127.0.0.1:24281/baddate")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nExpires: 0\r\n\r\n", 10, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000  200 1796072831        -1 1796072831 unknown -1/10 GET http://127.0.0.1:24281/baddate\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Key: [16]byte{0x1D, 0xF7}}, "", 0, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 1DF70000000000000000000000000000   ?         ?         ?         ? ?/? ?/? ? ?\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Method: "GET", URL: []byte("http://127.0.0.1:24281/short")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nCache-Control: max-age=1000\r\nContent-Type: a b\tc/d\r\nContent-Length: 30\r\n\r\n", 20, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000  200 1796072831        -1 1796073831 a 30/20 GET http://127.0.0.1:24281/short\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Method: "GET", URL: []byte("http://127.0.0.1:24281/nodate")},
		"HTTP/1.0 200 OK\r\nDate: yesterday\r\nExpires: -1\r\nLast-Modified: x\r\nContent-Length: 10\r\n\r\n", 10, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000  200        -1        -1 1796072831 unknown 10/10 GET http://127.0.0.1:24281/nodate\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Method: "HEAD", URL: []byte("http://127.0.0.1:24281/uncache")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nContent-Type: text/html\r\nContent-Length: 10\r\n\r\n", 0, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000  200 1796072831        -1        -1 text/html 10/0 HEAD http://127.0.0.1:24281/uncache\n"},
	{StoreEntry{Action: "SO_FAIL", Dir: -1, Method: "GET", URL: []byte("http://127.0.0.1:24281/lm")},
		"HTTP/1.0 200 OK\r\nDate: Mon, 30 Nov 2026 21:07:11 GMT\r\nLast-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 10\r\n\r\n", 10, true,
		"1796072831.144 SO_FAIL -1 FFFFFFFF 00000000000000000000000000000000  200 1796072831 946684800        -1 text/html 10/10 GET http://127.0.0.1:24281/lm\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Known: true, URL: []byte("error:unsupported-request-method"),
		Reply: StoreReply{Status: 400, Date: 1796072831, Expires: 1796072831, ContentType: []byte("text/html"), Announced: 1183, Length: 1183}}, "", 0, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000  400 1796072831         0 1796072831 text/html 1183/1183 NONE error:unsupported-request-method\n"},
	{StoreEntry{Action: "RELEASE", Dir: -1, Known: true, Reply: NoReply, Method: "POST", URL: []byte("http://127.0.0.1:24281/cut")}, "", 0, true,
		"1796072831.144 RELEASE -1 FFFFFFFF 00000000000000000000000000000000    0        -1        -1        -1 unknown -1/0 POST http://127.0.0.1:24281/cut\n"},
}

func TestStoreLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.log")
	for _, c := range storeLines {
		os.Remove(path)
		l, err := Open(&conf.LogSettings{CacheStoreLog: path, StripQueryTerms: c.strip}, Env{})
		if err != nil {
			t.Fatal(err)
		}
		c.entry.Now = time.UnixMilli(1796072831144)
		if c.head != "" {
			c.entry.Known = true
			c.entry.Reply.Of(replyOf(t, c.head), c.entry.Now)
			c.entry.Reply.Length = c.came
		}
		l.Store(&c.entry).Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != c.want {
			t.Errorf("%v\n got %q\nwant %q", err, got, c.want)
		}
	}
}

func replyOf(t *testing.T, head string) *http1.Reply {
	var rep http1.Reply
	if _, state := rep.Parse([]byte(head), true, &http1.Options{Relaxed: true, MaxHead: len(head) + 1}); state != http1.Complete {
		t.Fatalf("%q", head)
	}
	return &rep
}

// TestStoreLogNone: with cache_store_log none nothing is written.
func TestStoreLogNone(t *testing.T) {
	l, err := Open(&conf.LogSettings{CacheStoreLog: "none"}, Env{})
	if err != nil || l.WantsStore() {
		t.Errorf("%v, wants a store.log", err)
	}
	l.Store(&storeLines[0].entry).Wait()
}

// TestStoreLogAllocates: a line allocates nothing.
func TestStoreLogAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	l, err := Open(&conf.LogSettings{CacheStoreLog: filepath.Join(t.TempDir(), "store.log"), BufferedLogs: true}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rep, e := replyOf(t, storeLines[0].head), storeLines[0].entry
	e.Known = true
	if n := testing.AllocsPerRun(100, func() { e.Reply.Of(rep, e.Now); l.Store(&e).Wait() }); n > 0 {
		t.Errorf("%v allocations a line", n)
	}
}
