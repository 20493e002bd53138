package accesslog

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

func sample() *Entry {
	return &Entry{
		Now: time.Unix(1700000000, 123456789), Elapsed: 12 * time.Millisecond,
		Client: netip.MustParseAddr("10.1.2.3"), ClientPort: 4321, Local: netip.MustParseAddrPort("10.0.0.1:3128"),
		Tag: "TCP_MISS", Status: 200, Size: 345, RequestSize: 93,
		Method: "GET", URL: []byte("http://o.test/x"), Major: 1, Minor: 0, HasRequest: true,
		Hierarchy: "DIRECT", Host: "127.0.0.1", ContentType: []byte("Text/HTML;charset=x"),
		UserAgent: []byte("UA/1 (a b)"), Referer: []byte("http://r.test/x?y"),
	}
}

func TestNative(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	l, err := Open(&conf.LogSettings{AccessLogs: []*conf.AccessLog{{Path: path, Kind: conf.LogSquid}}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	l.Lines()[0].Write(sample())
	l.Flush()
	got, _ := os.ReadFile(path)
	want := "1700000000.123     12 10.1.2.3 TCP_MISS/200 345 GET http://o.test/x - DIRECT/127.0.0.1 Text/HTML\n"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
