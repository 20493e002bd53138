package gre

import (
	"bytes"
	"net/netip"
	"testing"
)

// FuzzUnwrap throws whole outer packets at the path a raw socket feeds.
func FuzzUnwrap(f *testing.F) {
	inner := ip4("1.2.3.4", "5.6.7.8", []byte("payload"))
	for _, h := range []Header{
		{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 90, Bucket: 255}},
		{Protocol: ProtocolWCCP},
		{Protocol: ProtocolIPv4, Checksummed: true, Keyed: true, Sequenced: true},
	} {
		f.Add(ip4("10.0.0.1", "10.0.0.9", h.Append(nil, inner)))
	}
	f.Add(ip4("10.0.0.1", "10.0.0.9", append([]byte{0, 0, 0x88, 0x3e, 0x76, 'Z', 0, 0xff}, inner...)))
	f.Add([]byte{})
	u := &unwrapper{own: func(a netip.Addr) bool { return a.IsLoopback() }}
	f.Fuzz(func(t *testing.T, outer []byte) {
		h, p, router, err := u.unwrap(outer)
		if err != nil {
			return
		}
		if len(p.Bytes) < ipv4MinHeader || len(p.Bytes) > len(outer) || !p.Src.IsValid() || !p.Dst.IsValid() || !router.Is4() {
			t.Fatalf("%+v %+v from %v", h, p, router)
		}
		if p.Src.IsLoopback() || router.IsLoopback() {
			t.Fatal("a packet of ours got through")
		}
		// Wrapped again it parses to the same.
		again, payload, err := Parse(h.Append(nil, p.Bytes))
		if err != nil || again != h || !bytes.Equal(payload, p.Bytes) {
			t.Fatalf("again: %+v %v", again, err)
		}
	})
}
