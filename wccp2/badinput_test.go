package wccp2

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// badPacketKinds makes every kind of packet that has to be dropped, out of a good answer.
func badPacketKinds(t *testing.T, b *bench) map[string]struct {
	raw  []byte
	said string
} {
	signed := func(change func(*wire.Message), password string) []byte {
		m := b.answer()
		m.Security.Option = wire.MD5Security
		change(m)
		raw, err := m.Append(nil, password)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	same := func(*wire.Message) {}
	good := signed(same, "right")
	patched := func(at int, to uint16) []byte {
		raw := bytes.Clone(good)
		binary.BigEndian.PutUint16(raw[at:], to)
		return raw
	}
	caches := bytes.Clone(good[:bytes.LastIndex(good, []byte{0, 8, 0, 24})]) // up to the capabilities
	binary.BigEndian.PutUint32(caches[len(caches)-4:], 0x40000001)
	binary.BigEndian.PutUint16(caches[6:], uint16(len(caches)-8))
	return map[string]struct {
		raw  []byte
		said string
	}{
		"header longer than the packet":  {patched(6, 4000), "WCCPv2 Packet from"},
		"header shorter than the packet": {patched(6, 8), "WCCPv2 Packet from"},
		"component longer than the rest": {patched(10, 0xFFFC), "WCCPv2 Packet from"},
		"component of odd length":        {patched(10, 19), "WCCPv2 Packet from"},
		"cut short":                      {good[:20], "WCCPv2 Packet from"},
		"nothing but a type":             {good[:4], "WCCPv2 Packet from"},
		"a thousand million caches":      {caches, "WCCPv2 Packet from"},
		"wrong digest":                   {signed(same, "wrong"), "failed authentication"},
		"no digest":                      {func() []byte { raw, _ := b.answer().Append(nil, ""); return raw }(), "Invalid security option"},
		"more caches than any group": {signed(func(m *wire.Message) {
			for i := range viewLimit + 1 {
				m.RouterView.Caches = append(m.RouterView.Caches, wire.CacheIdentity{Addr: netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), Kind: wire.NoData})
			}
		}, "right"), "sees 257 caches"},
		"unknown service": {signed(func(m *wire.Message) {
			other := *m.Service
			other.ID++
			m.Service = &other
		}, "right"), "Unknown service"},
		"a message for routers": {func() []byte {
			m := &wire.Message{Type: wire.HereIAm, Service: &service80.Service, CacheIdentity: &wire.CacheIdentity{Addr: selfAddr}, CacheView: &wire.CacheView{}}
			m.Security.Option = wire.MD5Security
			raw, err := m.Append(nil, "right")
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}(), "no message for a cache"},
		"version 1 where none is configured": {append([]byte{0, 0, 0, 8, 0, 0, 0, 4}, make([]byte, 12)...), "no router of ours"},
	}
}

func securedBench(t *testing.T) *bench {
	cfg := benchConfig()
	cfg.Services[0].Secure, cfg.Services[0].Password = true, "right"
	return newBench(t, cfg)
}

// dropped is how many packets were counted as dropped, wherever.
func (b *bench) dropped() uint64 {
	s := b.e.Status(b.now)
	return s.Services[0].Routers[0].Packets.Dropped + s.Ignored.UnknownSource + s.Ignored.Malformed + s.Ignored.WrongMessage + s.Ignored.UnknownService
}

// TestBadPackets: each kind is dropped without a change of anything, counted, and
// logged once a minute however often it comes.
func TestBadPackets(t *testing.T) {
	for name, kind := range badPacketKinds(t, securedBench(t)) {
		t.Run(name, func(t *testing.T) {
			b := securedBench(t)
			b.pass(1500 * time.Millisecond)
			for range 70 { // over 70 seconds
				b.e.Packet(b.now, b.router, kind.raw)
				b.pass(time.Second)
			}
			if n := b.dropped(); n != 70 {
				t.Errorf("%d counted: %+v", n, b.e.Status(b.now))
			}
			if n := b.logged(kind.said); n != 2 || b.logged("(and 59 more like this)") != 1 {
				t.Errorf("%d lines with %q: %q", n, kind.said, b.lines)
			}
			if s := b.e.Status(b.now).Services[0].Routers[0]; s.LastSeen != 0 || len(s.Caches) != 0 || s.Packets.ISeeYou != 0 {
				t.Errorf("something was believed: %+v", s)
			}
		})
	}
}

// TestOneLineAMinuteForASource: bad packets of all kinds from one source share
// one line a minute, and none is left unmentioned.
func TestOneLineAMinuteForASource(t *testing.T) {
	b := securedBench(t)
	kinds := badPacketKinds(t, b)
	b.pass(1500 * time.Millisecond)
	before := len(b.lines)
	for range 25 {
		for _, kind := range kinds {
			b.e.Packet(b.now, b.router, kind.raw)
		}
		b.pass(time.Second)
	}
	if n := len(b.lines) - before; n != 1 {
		t.Fatalf("%d lines in 25 seconds: %q", n, b.lines)
	}
	b.pass(complainEvery)
	b.lines = nil
	b.e.Packet(b.now, b.router, kinds["wrong digest"].raw)
	b.take()
	if len(b.lines) != 1 {
		t.Fatalf("%q", b.lines)
	}
	for _, want := range []string{"more like this", "malformed", "no message for a cache", "of an unknown service", "with the wrong security option", "from no router of ours", "with absurd counts"} {
		if !strings.Contains(b.lines[0], want) {
			t.Errorf("%q does not tell of packets %s", b.lines[0], want)
		}
	}
}
