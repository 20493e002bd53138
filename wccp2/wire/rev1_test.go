package wire

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// octets of a text with spaces and comments behind them.
func octets(t *testing.T, text string) []byte {
	t.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		said, _, _ := strings.Cut(line, "//")
		digits.WriteString(strings.Join(strings.Fields(said), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What rev1 4.2 to 6.19 lay down, octet by octet: an assignment by numbered values whose
// mask is an IPv6 address like all others, in a table behind everything else.
const numberedAssignment = `
0000000c 0201 00c0         // REDIRECT_ASSIGN of version 2.01
0000 0004 00000000         // no security
0001 0018 01 50 f0 06 00000011 0050 0000 0000 0000 0000 0000 0000 0000
000d 004c 0002 0048        // alternate assignment, of alternate masks
00000001 00000007          // key: the first address, seventh change
00000001                   // router
00000002 00000009 00000003
00000001                   // one set of a mask
00000003 00000000 0000 0000
00000002                   // caches
00000001 00000001 00000000
00000004 00000002 00000001 00000002
0011 0048 0002 0010 00000004
20010db8000000000000000000000020
20010db8000000000000000000000001
00000000000000000000000000000041
20010db8000000000000000000000021
`

func numberedMessage() *Message {
	one, two, router := netip.MustParseAddr("2001:db8::20"), netip.MustParseAddr("2001:db8::21"), netip.MustParseAddr("2001:db8::1")
	return &Message{
		Type: RedirectAssign, Version: Version2r1, AddressTable: true,
		Service: &Service{ServiceID: ServiceID{Dynamic, 80}, Priority: 240, Protocol: 6, Flags: SrcIPHash | PortsDefined, Ports: [8]uint16{80}},
		AltAssignment: &Assignment{
			Method: AssignAltMask, Key: AssignmentKey{one, 7},
			Routers: []RouterAssignment{{RouterID{router, 9}, 3}},
			AltSets: []AltMaskValueSet{{
				Mask:   Mask{SrcAddr: netip.MustParseAddr("::41"), DstAddr: netip.IPv6Unspecified()},
				Caches: []CacheValues{{one, []uint32{0}}, {two, []uint32{1, 2}}},
			}},
		},
	}
}

func TestRevisionOne(t *testing.T) {
	raw := octets(t, numberedAssignment)
	m, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(numberedMessage(), m, equal); d != "" {
		t.Error(d)
	}
	again, err := numberedMessage().Append(nil, "")
	if err != nil || !cmp.Equal(raw, again) {
		t.Errorf("%v\n got %x\nwant %x", err, again, raw)
	}
}

// A receiver is to overlook what is reserved, and what makes an address longer than it
// is (rev1 2, 5.1.5); a table is not for version 2.00 (4.7).
func TestAddressTableLeniency(t *testing.T) {
	want := numberedMessage()
	for name, change := range map[string]func(string) string{
		"reserved half": func(s string) string { return strings.Replace(s, "00000001 00000007", "beef0001 00000007", 1) },
		"longer addresses": func(s string) string {
			s = strings.Replace(s, "0201 00c0", "0201 00d0", 1)
			s = strings.Replace(s, "0011 0048 0002 0010", "0011 0058 0002 0014", 1)
			for _, end := range []string{"0020\n", "0001\n", "0041\n", "0021\n"} {
				at := strings.LastIndex(s, end)
				s = s[:at+4] + "deadbeef" + s[at+4:]
			}
			return s
		},
	} {
		m, err := Parse(octets(t, change(numberedAssignment)))
		if err != nil || !cmp.Equal(want, m, equal) {
			t.Errorf("%s: %v %s", name, err, cmp.Diff(want, m, equal))
		}
	}
	for name, change := range map[string][2]string{
		"version 2.00":                 {"0201 00c0", "0200 00c0"},
		"an index behind the table":    {"00000003 00000000 0000 0000", "00000005 00000000 0000 0000"},
		"half an address":              {"0002 0010 00000004", "0002 0008 00000004"},
		"a family that nobody knows":   {"0002 0010 00000004", "0003 0010 00000004"},
		"more addresses than there is": {"0002 0010 00000004", "0002 0010 00000005"},
	} {
		text := strings.Replace(numberedAssignment, change[0], change[1], 1)
		if m, err := Parse(octets(t, text)); err == nil {
			t.Errorf("%s: taken for %+v", name, m.AltAssignment)
		}
	}
}

// An alternate assignment map has the hash table and nothing before it (rev1 5.3.4, 6.5).
func TestAlternateMapOfHash(t *testing.T) {
	cache := netip.MustParseAddr("2001:db8::20")
	table := &HashTable{Caches: []netip.Addr{cache}}
	table.Buckets[255] = Unassigned
	m := &Message{
		Type: ISeeYou, Service: &Service{}, RouterIdentity: &RouterIdentity{RouterID: RouterID{cache, 1}, SentTo: cache},
		RouterView: &RouterView{Key: AssignmentKey{cache, 1}, Caches: []CacheIdentity{{Addr: cache, Kind: NoData}}},
		AltMap:     &AssignmentMap{Method: AssignHash, Hash: table},
	}
	raw, err := m.Append(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("00", 255) + "ff"
	if want := "00100" + "10c" + "0000" + "0108" + "00000001" + "00000001" + body; !strings.Contains(hex.EncodeToString(raw), want) {
		t.Errorf("%x", raw)
	}
	back, err := Parse(raw)
	if err != nil || len(back.Skipped) > 0 || back.AltMap == nil || !cmp.Equal(table, back.AltMap.Hash, equal) {
		t.Fatalf("%v %+v", err, back)
	}
	if has := back.AltMap.Hash.Of(cache); has.Count() != 255 || has.Has(255) {
		t.Errorf("%d buckets", has.Count())
	}
}

// Extended data is that of the other kinds behind a type and a length (rev1 6.10).
func TestExtendedData(t *testing.T) {
	for text, want := range map[string]CacheIdentity{
		"0006 0000 0024 " + strings.Repeat("ff", 32) + " 0064 0001": {Extended: ExtendedHash, Buckets: Bitmap(octets(t, strings.Repeat("ff", 32))), Weight: 100, Status: 1},
		"0006 0001 0008 00000000 0064 0001":                         {Extended: ExtendedMask, Weight: 100, Status: 1},
		"0006 0002 0018 00000001 0a000001 00000000 0000 0001 00000000 0064 0001": {Extended: ExtendedAltMask, Weight: 100, Status: 1, AltSets: []AltMaskValueSet{
			{Mask: Mask{SrcAddr: netip.MustParseAddr("10.0.0.1"), DstAddr: netip.IPv4Unspecified(), DstPort: 1}},
		}},
		"0006 0003 0004 0064 0001": {Extended: ExtendedWeight, Weight: 100, Status: 1},
		"0006 0009 0003 010203":    {Extended: 9, Unknown: []byte{1, 2, 3}},
	} {
		raw := octets(t, "0a000002 0000"+text)
		want.Addr, want.Kind = netip.MustParseAddr("10.0.0.2"), ExtendedData
		r := &reader{b: raw, where: "identity"}
		got := r.cacheIdentity()
		if err := r.end(); err != nil || !cmp.Equal(want, got, equal) {
			t.Errorf("%s: %v %s", text, err, cmp.Diff(want, got, equal))
		}
		w := &writer{}
		if w.cacheIdentity(&want); w.err != nil || !cmp.Equal(w.b, raw) {
			t.Errorf("%s: %v, written %x", text, w.err, w.b)
		}
		short := &reader{b: octets(t, "0a000002 0000"+strings.Replace(text, " 0064", " 64", 1)), where: "identity"}
		if short.cacheIdentity(); short.end() == nil && want.Unknown == nil {
			t.Errorf("%s: taken with an octet less", text)
		}
	}
}
