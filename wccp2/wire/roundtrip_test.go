package wire

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// equal compares messages by what they say: not where a digest stood nor what it was.
var equal = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(Message{}, Security{}),
	cmpopts.IgnoreFields(Security{}, "Digest"),
	cmpopts.IgnoreFields(Message{}, "Version"),
	cmpopts.EquateEmpty(),
}

// gen draws messages whose addresses are all of one family.
type gen struct {
	*rapid.T
	v6 bool
}

func (g gen) addr() netip.Addr {
	if g.v6 {
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(rapid.IntRange(1, 255).Draw(g.T, "v6"))})
	}
	v := rapid.Uint32Range(1, 1<<32-1).Draw(g.T, "v4")
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func some[T any](g gen, limit int, f func() T) []T {
	n := rapid.IntRange(0, limit).Draw(g.T, "n")
	var out []T
	for range n {
		out = append(out, f())
	}
	return out
}

func (g gen) u32() uint32        { return rapid.Uint32().Draw(g.T, "u32") }
func (g gen) u16() uint16        { return rapid.Uint16().Draw(g.T, "u16") }
func (g gen) u8() uint8          { return rapid.Uint8().Draw(g.T, "u8") }
func (g gen) bool() bool         { return rapid.Bool().Draw(g.T, "bool") }
func (g gen) routerID() RouterID { return RouterID{g.addr(), g.u32()} }
func (g gen) mask() Mask         { return Mask{g.addr(), g.addr(), g.u16(), g.u16()} }
func (g gen) key() AssignmentKey { return AssignmentKey{g.addr(), g.u32()} }
func (g gen) bytes(limit int) []byte {
	return rapid.SliceOfN(rapid.Byte(), 0, limit).Draw(g.T, "bytes")
}

func (g gen) command() Command {
	c := Command{Type: uint16(rapid.IntRange(0, 4).Draw(g.T, "command"))}
	if c.ofCache() {
		c.Cache = g.addr()
	} else {
		c.Data = g.bytes(8)
	}
	return c
}

func (g gen) sets() []MaskValueSet {
	return some(g, 3, func() MaskValueSet {
		return MaskValueSet{g.mask(), some(g, 8, func() Value { return Value{g.mask(), g.addr()} })}
	})
}

func (g gen) altSets() []AltMaskValueSet {
	return some(g, 3, func() AltMaskValueSet {
		return AltMaskValueSet{g.mask(), some(g, 4, func() CacheValues {
			return CacheValues{g.addr(), some(g, 5, g.u32)}
		})}
	})
}

func (g gen) identity() CacheIdentity {
	c := CacheIdentity{Addr: g.addr(), HashRevision: g.u16(), Historical: g.bool()}
	c.Kind = DataKind(rapid.IntRange(0, 3).Draw(g.T, "kind"))
	if c.Kind == ExtendedData {
		c.Extended = ExtendedType(rapid.IntRange(0, 4).Draw(g.T, "type"))
	}
	switch {
	case c.HasBuckets():
		copy(c.Buckets[:], g.bytes(32))
	case c.Kind == MaskData, c.Extended == ExtendedMask:
		c.Sets = g.sets()
	case c.Extended == ExtendedAltMask:
		c.AltSets = g.altSets()
	}
	switch {
	case c.Extended > ExtendedWeight:
		c.Unknown = g.bytes(20)
	case c.Kind != NoData:
		c.Weight, c.Status = g.u16(), g.u16()
	}
	return c
}

func (g gen) assignment(method AssignMethod) *Assignment {
	a := &Assignment{Method: method, Key: g.key()}
	a.Routers = some(g, 32, func() RouterAssignment { return RouterAssignment{g.routerID(), g.u32()} })
	switch method {
	case AssignHash:
		a.Caches = some(g, 32, g.addr)
		for i := range a.Buckets {
			a.Buckets[i] = Unassigned
			if at := rapid.IntRange(-1, len(a.Caches)-1).Draw(g.T, "at"); at >= 0 {
				a.Buckets[i] = MakeBucket(at, g.bool())
			}
		}
	case AssignMask:
		a.Sets = g.sets()
	case AssignAltMask:
		a.AltSets = g.altSets()
	}
	return a
}

func (g gen) message() *Message {
	m := &Message{Type: rapid.SampledFrom([]MessageType{HereIAm, ISeeYou, RedirectAssign, RemovalQuery}).Draw(g.T, "type")}
	m.Security.Option = uint32(rapid.IntRange(0, 1).Draw(g.T, "security"))
	m.Service = &Service{ServiceID: ServiceID{ServiceType(g.u8()), g.u8()}, Priority: g.u8(), Protocol: g.u8(), Flags: g.u32()}
	for i := range m.Service.Ports {
		m.Service.Ports[i] = g.u16()
	}
	m.AddressTable = g.v6 || g.bool()
	switch m.Type {
	case HereIAm:
		c := g.identity()
		m.CacheIdentity = &c
		m.CacheView = &CacheView{g.u32(), some(g, 32, g.routerID), some(g, 32, g.addr)}
	case ISeeYou:
		m.RouterIdentity = &RouterIdentity{g.routerID(), g.addr(), some(g, 4, g.addr)}
		m.RouterView = &RouterView{g.u32(), g.key(), some(g, 32, g.addr), some(g, 32, g.identity)}
		if g.bool() {
			m.AssignmentMap = &AssignmentMap{Method: AssignMask, Sets: g.sets()}
		}
		if g.bool() {
			m.AltMap = &AssignmentMap{Method: AssignMethod(rapid.IntRange(0, 2).Draw(g.T, "method"))}
			switch m.AltMap.Method {
			case AssignHash:
				m.AltMap.Hash = &g.assignment(AssignHash).HashTable
			case AssignMask:
				m.AltMap.Sets = g.sets()
			case AssignAltMask:
				m.AltMap.AltSets = g.altSets()
			}
		}
	case RedirectAssign:
		if g.bool() {
			m.Assignment = g.assignment(AssignHash)
		} else {
			m.AltAssignment = g.assignment(AssignMethod(rapid.IntRange(0, 2).Draw(g.T, "method")))
		}
	case RemovalQuery:
		m.Query = &RouterQuery{g.routerID(), g.addr(), g.addr()}
	}
	if g.bool() {
		m.Capabilities = []Capability{}
		for range rapid.IntRange(0, 5).Draw(g.T, "capabilities") {
			m.Capabilities = append(m.Capabilities, Capability{CapabilityType(g.u16()), g.bytes(8)})
		}
	}
	if g.bool() {
		m.Commands = append([]Command{}, some(g, 2, g.command)...)
	}
	m.Skipped = some(g, 2, func() Component { return Component{ComponentType(100 + g.u16()%1000), g.bytes(9)} })
	return m
}

// TestRoundTrip: what one side appends, the other parses to the same.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := gen{rt, rapid.Bool().Draw(rt, "IPv6")}
		m := g.message()
		prefix := g.bytes(3)
		b, err := m.Append(prefix, "secret")
		if err != nil {
			rt.Fatal(err)
		}
		raw := b[len(prefix):]
		got, err := Parse(append(raw[:len(raw):len(raw)], g.bytes(4)...))
		if err != nil {
			rt.Fatalf("%v in %x", err, raw)
		}
		if d := cmp.Diff(m, got, equal); d != "" {
			rt.Fatal(d)
		}
		if want := m.Security.Option == MD5Security; Authentic(raw, got, "secret") != want || Authentic(raw, got, "wrong") {
			rt.Fatalf("authentic %v, want %v", !want, want)
		}
	})
}

// TestRoundTripV1 does the same for version 1.
func TestRoundTripV1(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := gen{rt, false}
		m := &V1Message{Type: V1HereIAm + MessageType(rapid.IntRange(0, 2).Draw(rt, "type")), ReceiveID: g.u32()}
		if m.Type != V1AssignBuckets {
			m.Version = 1 + g.u32()%9
		}
		buckets := func() (b Bitmap) { copy(b[:], g.bytes(32)); return b }
		switch m.Type {
		case V1HereIAm:
			m.HashRevision, m.Buckets, m.Unassigned = g.u32(), buckets(), g.bool()
		case V1ISeeYou:
			m.Change = g.u32()
			m.Caches = some(g, 40, func() V1Cache { return V1Cache{g.addr(), g.u32(), buckets(), g.bool()} })
		case V1AssignBuckets:
			m.Caches = some(g, 32, func() V1Cache { return V1Cache{Addr: g.addr()} })
			for i := range m.Table {
				m.Table[i] = Unassigned
				if n := len(m.Caches); n > 0 {
					m.Table[i] = Bucket(i % n)
				}
			}
		}
		b, err := m.Append(nil)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := ParseV1(b)
		if err != nil {
			rt.Fatal(err)
		}
		if d := cmp.Diff(m, got, equal); d != "" {
			rt.Fatal(d)
		}
	})
}

func TestBitmap(t *testing.T) {
	var b Bitmap
	for _, i := range []uint8{0, 7, 8, 255} {
		b.Set(i)
	}
	if b.Count() != 4 || !b.Has(255) || b.Has(254) || b[0] != 0x81 || b[1] != 1 || b[31] != 0x80 {
		t.Errorf("%v", b)
	}
}

// FuzzParse: whatever is accepted is written and read again unchanged.
func FuzzParse(f *testing.F) {
	seen := map[string]int{}
	for _, p := range recordedPackets(f) {
		if seen[p.Message]++; seen[p.Message] <= 4 {
			f.Add(p.bytes(f))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := ParseV1(raw); err == nil {
			b, err := m.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ParseV1(b)
			if err == nil && m.Version == 0 {
				again.Version = 0 // written as VersionV1, where the message has one
			}
			if err != nil || !cmp.Equal(m, again, equal) {
				t.Fatalf("%v: %s", err, cmp.Diff(m, again, equal))
			}
		}
		m, err := Parse(raw)
		if err != nil {
			return
		}
		b, err := m.Append(nil, "p")
		if err != nil {
			if len(raw) > 0x8000 {
				return // an address table can outgrow its message
			}
			t.Fatal(err)
		}
		again, err := Parse(b)
		if err != nil {
			t.Fatalf("%v\nfirst %x\nagain %x", err, raw, b)
		}
		if d := cmp.Diff(m, again, equal); d != "" {
			t.Fatalf("%s\nfirst %x\nagain %x", d, raw, b)
		}
		if c, err := again.Append(nil, "p"); err != nil || !bytes.Equal(b, c) {
			t.Fatalf("%v: not stable", err)
		}
	})
}
