package tls

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzHello holds the reader against Go's own server: where both take a
// ClientHello they read the same name, and how the bytes were split changes
// nothing.
func FuzzHello(f *testing.F) {
	for _, b := range corpus(f) {
		f.Add(b, len(b)/2)
		f.Add(inRecords(b, 100), 7)
	}
	f.Add(hello(f, sni("good.test"), sni("evil.test")), 9)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		var r Reader
		h, state, err := r.Read(b)
		if (state == Malformed && len(b) < MaxHello) != (err != nil) {
			t.Fatalf("state %d with %v", state, err)
		}
		if at = max(0, min(at, len(b))); at < len(b) {
			var split Reader
			if _, first, _ := split.Read(b[:at]); first == NeedMore {
				if h2, state2, _ := split.Read(b); state2 != state || h2.ServerName != h.ServerName {
					t.Fatalf("split at %d: %d %q, whole: %d %q", at, state2, h2.ServerName, state, h.ServerName)
				}
			} else if first != state {
				t.Fatalf("the first %d octets: %d, all: %d", at, first, state)
			}
		}
		if name, ok := serverReads(b); ok && state == Complete && strings.ToLower(name) != h.ServerName && net.ParseIP(h.ServerName) == nil {
			t.Fatalf("Go's server reads %q, we read %q", name, h.ServerName)
		}
	})
}

// serverReads is the name Go's server finds, and whether it takes the ClientHello.
func serverReads(b []byte) (name string, ok bool) {
	stop := errors.New("seen")
	s := tls.Server(&memory{Reader: bytes.NewReader(b)}, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name, ok = h.ServerName, true
		return nil, stop
	}})
	s.Handshake()
	return name, ok
}

// memory is a connection that gives bytes and takes all.
type memory struct{ io.Reader }

func (*memory) Write(p []byte) (int, error)      { return len(p), nil }
func (*memory) Close() error                     { return nil }
func (*memory) LocalAddr() net.Addr              { return nil }
func (*memory) RemoteAddr() net.Addr             { return nil }
func (*memory) SetDeadline(time.Time) error      { return nil }
func (*memory) SetReadDeadline(time.Time) error  { return nil }
func (*memory) SetWriteDeadline(time.Time) error { return nil }
