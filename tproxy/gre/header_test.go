package gre

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ip4 is a whole IPv4 packet (protocol 253, for experiments) around a payload.
func ip4(src, dst string, payload []byte) []byte {
	s, d := netip.MustParseAddr(src).As4(), netip.MustParseAddr(dst).As4()
	b := make([]byte, 20, 20+len(payload))
	b[0], b[8], b[9] = 0x45, 64, 253
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(payload)))
	copy(b[12:], s[:])
	copy(b[16:], d[:])
	binary.BigEndian.PutUint16(b[10:], sum(b))
	return append(b, payload...)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	const ip = "45000014000000004000000001020304 05060708"
	for _, c := range []struct {
		name, packet string
		want         Header
		err          error
	}{
		{"wccp with redirect header", "0000 883e 80 50 00 2a" + ip,
			Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80, Bucket: 42}}, nil},
		{"standard service, alternative bucket", "0000 883e 40 00 07 2a" + ip,
			Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Alternative: true, AltBucket: 7, Bucket: 42}}, nil},
		{"redirect header that says nothing", "0000 883e 20 00 00 00" + ip,
			Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Unavailable: true}}, nil},
		{"wccp without redirect header", "0000 883e" + ip, Header{Protocol: ProtocolWCCP}, nil},
		{"plain IPv4", "0000 0800" + ip, Header{Protocol: ProtocolIPv4}, nil},
		{"key and sequence", "3000 0800 00000005 00000009" + ip,
			Header{Protocol: ProtocolIPv4, Keyed: true, Key: 5, Sequenced: true, Sequence: 9}, nil},
		{"ignored reserved bits", "03f8 0800" + ip, Header{Protocol: ProtocolIPv4}, nil},
		{"empty", "", Header{}, ErrShort},
		{"three octets", "000008", Header{}, ErrShort},
		{"key cut off", "2000 0800 0000", Header{}, ErrShort},
		{"redirect header cut off", "0000 883e 80 50", Header{}, ErrShort},
		{"nothing after wccp", "0000 883e", Header{}, ErrShort},
		{"version 1 (PPTP)", "3001 880b 00000000", Header{}, ErrVersion},
		{"routing", "4000 0800" + ip, Header{}, ErrReserved},
		{"recursion", "0400 0800" + ip, Header{}, ErrReserved},
		{"ethernet inside", "0000 6558" + ip, Header{}, ErrProtocol},
		{"checksum wrong", "8000 0800 12340000" + ip, Header{}, ErrChecksum},
		{"checksum absent", "8000 0800 1234", Header{}, ErrShort},
	} {
		h, payload, err := Parse(unhex(t, c.packet))
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err == nil && (h != c.want || hex.EncodeToString(payload) != strings.ReplaceAll(ip, " ", "")) {
			t.Errorf("%s: %+v %x", c.name, h, payload)
		}
	}
}

func TestWhatIsAppendedIsParsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Header{
			Protocol:    rapid.SampledFrom([]uint16{ProtocolIPv4, ProtocolIPv6, ProtocolWCCP}).Draw(t, "protocol"),
			Checksummed: rapid.Bool().Draw(t, "checksum"),
			Keyed:       rapid.Bool().Draw(t, "keyed"),
			Sequenced:   rapid.Bool().Draw(t, "sequenced"),
		}
		if h.Keyed {
			h.Key = rapid.Uint32().Draw(t, "key")
		}
		if h.Sequenced {
			h.Sequence = rapid.Uint32().Draw(t, "sequence")
		}
		if h.Protocol == ProtocolWCCP && rapid.Bool().Draw(t, "redirected") {
			h.Redirected = true
			h.Redirect = Redirect{Unavailable: true} // and nothing else
			if rapid.Bool().Draw(t, "available") {
				h.Redirect = Redirect{rapid.Bool().Draw(t, "d"), rapid.Bool().Draw(t, "a"), false,
					rapid.Uint8().Draw(t, "service"), rapid.Uint8().Draw(t, "alt"), rapid.Uint8().Draw(t, "bucket")}
			}
		}
		payload := ip4("1.2.3.4", "5.6.7.8", rapid.SliceOfN(rapid.Byte(), 0, 99).Draw(t, "payload"))
		before := []byte("before")
		packet := h.Append(before, payload)[len(before):]
		if len(packet) > MaxHeader+len(payload) {
			t.Fatalf("header of %d octets", len(packet)-len(payload))
		}
		got, rest, err := Parse(packet)
		if err != nil || got != h || !bytes.Equal(rest, payload) {
			t.Fatalf("%+v came back as %+v, %v", h, got, err)
		}
		// One flipped bit under a checksum is noticed.
		if h.Checksummed {
			i := rapid.IntRange(4, len(packet)-1).Draw(t, "at")
			if i == 6 || i == 7 {
				return // the reserved half of the checksum word counts as well, but skip the sum itself
			}
			packet[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			if _, _, err := Parse(packet); err != ErrChecksum {
				t.Fatalf("flipped bit: %v", err)
			}
		}
	})
}

// slowSum is RFC 1071 to the letter.
func slowSum(b []byte) uint16 {
	var s uint32
	for i, c := range b {
		if i%2 == 0 {
			s += uint32(c) << 8
		} else {
			s += uint32(c)
		}
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}

func TestSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data")
		if got, want := sum(b), slowSum(b); got != want {
			t.Fatalf("%x, want %x", got, want)
		}
	})
}

func TestInner(t *testing.T) {
	good := ip4("1.2.3.4", "5.6.7.8", []byte("hello"))
	p, err := Inner(append(bytes.Clone(good), "padding"...))
	if err != nil || !bytes.Equal(p.Bytes, good) || p.Src.String() != "1.2.3.4" || p.Dst.String() != "5.6.7.8" {
		t.Errorf("%+v %v", p, err)
	}
	v6 := unhex(t, "6000000000023b40 20010db8000000000000000000000001 20010db8000000000000000000000002 abcd ff")
	p, err = Inner(v6)
	if err != nil || len(p.Bytes) != 42 || p.Src.String() != "2001:db8::1" || p.Dst.String() != "2001:db8::2" {
		t.Errorf("%+v %v", p, err)
	}
	short := bytes.Clone(good)
	short[0] = 0x44
	long := bytes.Clone(good)
	long[3]++
	lessThanHeader := bytes.Clone(good)
	lessThanHeader[3] = 19
	for name, b := range map[string][]byte{
		"empty": nil, "no IP": []byte("GET / HTTP/1.0\r\n\r\n    "), "cut": good[:19], "header of four words": short,
		"longer than it is": long, "shorter than its header": lessThanHeader, "IPv6 cut": v6[:41], "IPv6 header cut": v6[:39],
	} {
		if _, err := Inner(b); err != ErrInner {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnwrapDecides(t *testing.T) {
	ours := netip.MustParseAddr("10.0.0.9")
	key := uint32(7)
	wrapped := func(router, src string, h Header) []byte {
		return ip4(router, "10.0.0.9", h.Append(nil, ip4(src, "5.6.7.8", nil)))
	}
	plain := Header{Protocol: ProtocolWCCP, Redirected: true}
	u := &unwrapper{own: func(a netip.Addr) bool { return a == ours }}
	demanding := &unwrapper{key: &key}
	closed := &unwrapper{}
	closed.setRouters([]netip.Addr{netip.MustParseAddr("10.0.0.1")})
	for _, c := range []struct {
		name   string
		u      *unwrapper
		packet []byte
		err    error
	}{
		{"redirected", u, wrapped("10.0.0.1", "1.2.3.4", plain), nil},
		{"our address inside", u, wrapped("10.0.0.1", "10.0.0.9", plain), errOwn},
		{"our address outside", u, wrapped("10.0.0.9", "1.2.3.4", plain), errOwn},
		{"no key", demanding, wrapped("10.0.0.1", "1.2.3.4", plain), errStranger},
		{"other key", demanding, wrapped("10.0.0.1", "1.2.3.4", Header{Protocol: ProtocolIPv4, Keyed: true, Key: 8}), errStranger},
		{"right key", demanding, wrapped("10.0.0.1", "1.2.3.4", Header{Protocol: ProtocolIPv4, Keyed: true, Key: 7}), nil},
		{"our router", closed, wrapped("10.0.0.1", "1.2.3.4", plain), nil},
		{"another router", closed, wrapped("10.0.0.2", "1.2.3.4", plain), errStranger},
		{"no IP inside", u, ip4("10.0.0.1", "10.0.0.9", plain.Append(nil, []byte("nonsense"))), ErrInner},
		{"no IP outside", u, []byte("nonsense"), ErrInner},
	} {
		if _, _, _, err := c.u.unwrap(c.packet); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
	}
	closed.setRouters(nil)
	if _, _, _, err := closed.unwrap(wrapped("10.0.0.2", "1.2.3.4", plain)); err != nil {
		t.Errorf("after the list was lifted: %v", err)
	}
}

func TestMemoryForgetsRatherThanMistakes(t *testing.T) {
	m := newMemory()
	a := netip.MustParseAddr("1.2.3.4")
	for i := range 2 * memorySlots {
		dst := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		m.remember(Packet{Src: a, Dst: dst}, dst, Header{Key: uint32(i)})
	}
	found := 0
	for i := range 2 * memorySlots {
		dst := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if s, ok := m.recall(Packet{Src: a, Dst: dst}); ok {
			found++
			if s.router != dst || s.header.Key != uint32(i) {
				t.Fatalf("%v is remembered as %+v", dst, s)
			}
		}
	}
	if found == 0 || found > memorySlots {
		t.Errorf("%d of %d remembered", found, 2*memorySlots)
	}
}
