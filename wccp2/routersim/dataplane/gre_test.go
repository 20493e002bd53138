package dataplane

import (
	"bytes"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// inner is a packet from 10.1.0.2:40000 to 192.0.2.2:80.
var inner = []byte{
	0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 1, 0, 2, 192, 0, 2, 2,
	0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
}

func TestHeaders(t *testing.T) {
	for name, test := range map[string]struct {
		key    wire.ServiceID
		choice routersim.Choice
		want   []byte
	}{
		"dynamic":   {wire.ServiceID{Type: wire.Dynamic, ID: 80}, routersim.Choice{Bucket: 7}, []byte{0, 0, 0x88, 0x3E, 1, 80, 0, 7}},
		"standard":  {wire.ServiceID{}, routersim.Choice{Bucket: 255}, []byte{0, 0, 0x88, 0x3E, 0, 0, 0, 255}},
		"alternate": {wire.ServiceID{Type: wire.Dynamic, ID: 90}, routersim.Choice{Bucket: 1, AlternateBucket: 2, Alternate: true}, []byte{0, 0, 0x88, 0x3E, 3, 90, 2, 1}},
	} {
		framed := append(make([]byte, encapsulation), inner...)
		if sent := putHeaders(framed, test.key, test.choice, false); len(sent) != len(framed) {
			t.Errorf("%s: %d octets sent", name, len(sent))
		}
		if !bytes.Equal(framed[:encapsulation], test.want) {
			t.Errorf("%s: % x, want % x", name, framed[:encapsulation], test.want)
		}
		if packet, err := unwrap(framed); err != nil || !bytes.Equal(packet, inner) {
			t.Errorf("%s: unwrapped % x, %v", name, packet, err)
		}
	}
}

func TestVersion1HasNoRedirectHeader(t *testing.T) {
	framed := append(make([]byte, encapsulation), inner...)
	sent := putHeaders(framed, wire.ServiceID{}, routersim.Choice{Bucket: 7}, true)
	if !bytes.Equal(sent, append([]byte{0, 0, 0x88, 0x3E}, inner...)) {
		t.Errorf("% x", sent)
	}
}

func TestUnwrap(t *testing.T) {
	with := func(header ...byte) []byte { return append(header, inner...) }
	for name, good := range map[string][]byte{
		"without redirect header": with(0, 0, 0x88, 0x3E),
		"plain GRE":               with(0, 0, 0x08, 0x00),
		"with a key":              with(0x20, 0, 0x88, 0x3E, 1, 2, 3, 4, 1, 80, 0, 7),
	} {
		if packet, err := unwrap(good); err != nil || !bytes.Equal(packet, inner) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][]byte{
		"nothing":        {},
		"IPv6":           with(0, 0, 0x86, 0xDD),
		"PPTP":           with(0, 1, 0x88, 0x3E),
		"header alone":   {0, 0, 0x88, 0x3E, 1, 80, 0, 7},
		"checksum, cut":  {0x80, 0, 0x88, 0x3E},
		"no packet":      {0, 0, 0x88, 0x3E, 1, 80, 0, 7, 0x60, 0, 0, 0},
		"packet cut off": with(0, 0, 0x88, 0x3E)[:20],
	} {
		if packet, err := unwrap(bad); err == nil {
			t.Errorf("%s: unwrapped % x", name, packet)
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add(append([]byte{0, 0, 0x88, 0x3E, 1, 80, 0, 7}, inner...))
	f.Add([]byte{0xF0, 0, 0x88, 0x3E})
	f.Fuzz(func(t *testing.T, payload []byte) {
		packet, err := unwrap(payload)
		if err == nil && (len(packet) < 20 || packet[0]>>4 != 4) {
			t.Errorf("% x gave % x", payload, packet)
		}
	})
}

func TestOpensConnection(t *testing.T) {
	if !opensConnection(inner) {
		t.Error("a SYN was not seen")
	}
	later := bytes.Clone(inner)
	later[33] = 0x10
	if opensConnection(later) || opensConnection(inner[:30]) {
		t.Error("something else was taken for a SYN")
	}
}
