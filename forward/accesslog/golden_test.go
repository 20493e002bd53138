package accesslog

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// at is 2023-11-14 22:13:20.123456 UTC.
var at = time.Unix(1700000000, 123456789)

// fields parses a field block.
func fields(t testing.TB, block string) *http1.Fields {
	t.Helper()
	r := &http1.Request{}
	r.Reset()
	if _, state := r.Parse([]byte("GET http://o/ HTTP/1.0\r\n"+block+"\r\n"), &http1.Options{Relaxed: true}); state != http1.Complete {
		t.Fatalf("%q: %v", block, r.Fault)
	}
	return &r.Fields
}

// entries are the requests the golden files show, by name.
func entries(t testing.TB) map[string]*Entry {
	request := fields(t, "User-Agent: Mo zilla/1.0 \"q\" [x] %41 \xe9\r\nCookie: a=1; b=two; c=3\r\nAccept: a, b=2, c\r\nReferer: http://r.test/?q=\"1\"\r\n")
	reply := &http1.Outgoing{}
	reply.AddString(http1.ContentType, "text/plain")
	reply.Copy(fields(t, "X-Rep: r v\r\n"), 0)
	reply.AddString(http1.XCache, "MISS from proxy.test")
	plain := &Entry{
		Now: at, Elapsed: 12345 * time.Microsecond,
		Client: netip.MustParseAddr("10.1.2.3"), ClientPort: 4321, Local: netip.MustParseAddrPort("10.0.0.1:3128"),
		Tag: "TCP_MISS", Status: 200, Size: 345, RequestSize: 93,
		Method: "GET", URL: []byte("http://o.test/a\"bc'd\xe9%20?"), Major: 1, Minor: 0, HasRequest: true,
		AuthUser: "fred b%", Ident: "id\n", ExtLog: "ext log",
		Hierarchy: "DIRECT", Host: "127.0.0.1", ContentType: []byte("Text/HTML;charset=x"),
		Request: request, RequestFields: request.AppendLogged(nil), Reply: reply,
		ReplyHead: []byte("HTTP/1.1 200 OK\r\nX-Rep: r v\r\n\r\n"),
		UserAgent: request.Get(http1.UserAgent), Referer: request.Get(http1.Referer),
	}
	refused := &Entry{
		Now: at, Client: netip.MustParseAddr("2001:db8::1"), Tag: "TCP_DENIED", Status: 400, Size: 1556, RequestSize: 11,
		URL: []byte("error:unsupported-request-method"), ContentType: []byte("text/html"),
	}
	parent := &Entry{
		Now: at, Elapsed: 12345 * time.Second, Client: netip.MustParseAddr("::ffff:10.1.2.3"), Tag: "TCP_MISS", Status: 0, Size: 0, RequestSize: -1,
		Method: "CONNECT", URL: []byte("o.test:443"), Major: 1, Minor: 1, HasRequest: true,
		Hierarchy: "FIRST_UP_PARENT", TimedOut: true, Host: "peer.test", ContentType: []byte(" odd"),
	}
	// hostile has bytes in every place that could break a line, a word or a quote.
	odd := "\x00\x01\t\n\r\x1b[2J\"'\\%[] \x7f\xff"
	bad := &http1.Outgoing{}
	bad.Copy(fields(t, "X-Odd: a=\t\x01\x1b\"[\\; b=\"x;y\"; =c; d\r\n"), 0)
	hostile := &Entry{
		Now: at, Elapsed: time.Millisecond, Client: netip.MustParseAddr("fe80::1%eth0"), ClientPort: 65535, Local: netip.MustParseAddrPort("[::1]:1"),
		Tag: "TCP_MISS", Status: 999, Size: 1 << 62, RequestSize: 1, Method: "GET", URL: []byte("http://o.test/" + odd), Major: 9, Minor: 99, HasRequest: true,
		AuthUser: odd, Ident: odd, SSLUser: odd, ExtLog: odd, Hierarchy: "DIRECT", Host: "o.test", ContentType: []byte(";x"),
		Request: bad, RequestFields: []byte("X: " + odd + "\r\n"), Reply: bad, ReplyHead: []byte(odd + "\n"),
		UserAgent: []byte(odd), Referer: []byte(odd),
	}
	// early is from before the epoch, by a clock that was set back meanwhile.
	early := &Entry{
		Now: time.Unix(-2, 500e6), Elapsed: -1500 * time.Millisecond, Client: netip.MustParseAddr("0.0.0.0"),
		Tag: "TCP_HIT", Status: -1, Method: "GET", URL: []byte(""), SSLUser: "ssl user", HasRequest: true, UserAgent: []byte{}, ContentType: []byte("\t"),
	}
	return map[string]*Entry{"plain": plain, "refused": refused, "parent": parent, "hostile": hostile, "early": early}
}

// A golden file is squid.conf lines, then for each entry a line "> NAME" and
// the lines it makes in the logs, in the order of the log files' names. The
// formats and most results are recordings (area logs).
func TestGolden(t *testing.T) {
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.FixedZone("CET", 3600)
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config, rest, _ := strings.Cut(string(text), "\n> ")
	logs := open(t, strings.ReplaceAll(config, "{DIR}", dir))
	for _, section := range strings.Split(rest, "\n> ") {
		name, want, _ := strings.Cut(section, "\n")
		e := entries(t)[name]
		if e == nil {
			t.Fatalf("no entry %q", name)
		}
		for _, line := range logs.Lines() {
			if line.Conf.Kind == conf.LogNone {
				break
			}
			line.Write(e)
		}
		logs.Agent(e)
		if got := drain(t, logs, dir); got != strings.TrimSuffix(want, "\n")+"\n" {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
		}
	}
	if err := logs.Close(); err != nil {
		t.Error(err)
	}
}

// open opens the logs of squid.conf lines.
func open(t testing.TB, config string) *Logs {
	t.Helper()
	cfg, report := conf.LoadText("squid.conf", []byte("http_port 3128\nvisible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\ncache_store_log none\n"+config+"\n"), conf.Options{})
	if cfg == nil {
		t.Fatalf("%q: %+v", config, report.Lines)
	}
	logs, err := Open(&cfg.LogSettings, Env{Name: func(a netip.Addr) string {
		if a.Is4() && !strings.HasSuffix(a.String(), ".0") {
			return "client.test"
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	return logs
}

// drain returns what was written to the files in dir, and empties them.
func drain(t testing.TB, logs *Logs, dir string) string {
	t.Helper()
	logs.Flush()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
		if err := os.Truncate(name, 0); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
