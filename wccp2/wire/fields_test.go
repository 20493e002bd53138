package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// field is one field of a recorded packet: where it stands, and what a message
// says that has other octets there.
type field struct {
	name string
	size int
	says func(m *Message, octets []byte) // nil: a length or a count, which another value makes a refusal
	try  [][]byte                        // what is put there; nil for the usual
}

func number(octets []byte) uint32   { return binary.BigEndian.Uint32(octets) }
func short(octets []byte) uint16    { return binary.BigEndian.Uint16(octets) }
func ipv4(octets []byte) netip.Addr { return netip.AddrFrom4([4]byte(octets)) }

// header is what stands before the components.
var header = []field{
	{"message type", 4, nil, nil},
	{"major version", 1, nil, nil},
	{"minor version", 1, func(m *Message, o []byte) { m.Version = Version2&^0xff | uint16(o[0]) }, nil},
	{"length", 2, nil, nil},
}

func component(fields ...field) []field {
	return append([]field{{"component type", 2, nil, nil}, {"component length", 2, nil, nil}}, fields...)
}

var securityFields = component(field{"option", 4, nil, nil})

var md5Fields = component(field{"option", 4, nil, nil},
	field{"digest", 16, func(m *Message, o []byte) { copy(m.Security.Digest[:], o) }, nil})

var serviceFields = func() []field {
	fields := component(
		field{"type", 1, func(m *Message, o []byte) { m.Service.Type = ServiceType(o[0]) }, nil},
		field{"id", 1, func(m *Message, o []byte) { m.Service.ID = o[0] }, nil},
		field{"priority", 1, func(m *Message, o []byte) { m.Service.Priority = o[0] }, nil},
		field{"protocol", 1, func(m *Message, o []byte) { m.Service.Protocol = o[0] }, nil},
		field{"flags", 4, func(m *Message, o []byte) { m.Service.Flags = number(o) }, nil})
	for i := range 8 {
		fields = append(fields, field{fmt.Sprintf("port %d", i), 2, func(m *Message, o []byte) { m.Service.Ports[i] = short(o) }, nil})
	}
	return fields
}()

// hashIdentity are the fields of a cache identity with buckets.
func hashIdentity(of func(*Message) *CacheIdentity) []field { return identityOf(HashData, of) }

func identityOf(kind DataKind, of func(*Message) *CacheIdentity) []field {
	k := byte(kind << 1)
	return []field{
		{"cache address", 4, func(m *Message, o []byte) { of(m).Addr = ipv4(o) }, nil},
		{"hash revision", 2, func(m *Message, o []byte) { of(m).HashRevision = short(o) }, nil},
		{"reserved", 1, func(*Message, []byte) {}, nil},
		{"flags", 1, func(m *Message, o []byte) { of(m).Historical = o[0]&1 != 0 }, [][]byte{{k}, {k | 1}, {k | 0xF8}, {k | 0xF9}}},
		{"buckets", 32, func(m *Message, o []byte) { copy(of(m).Buckets[:], o) }, nil},
		{"weight", 2, func(m *Message, o []byte) { of(m).Weight = short(o) }, nil},
		{"status", 2, func(m *Message, o []byte) { of(m).Status = short(o) }, nil},
	}
}

func own(m *Message) *CacheIdentity    { return m.CacheIdentity }
func listed(m *Message) *CacheIdentity { return &m.RouterView.Caches[0] }

// maskIdentity are those of one with mask data, of which there is none yet.
func maskIdentity(of func(*Message) *CacheIdentity) []field {
	all := identityOf(MaskData, of)
	return slices.Concat(all[:4], []field{{"number of sets", 4, nil, nil}}, maskOf(func(m *Message) *Mask { return &of(m).Sets[0].Mask }),
		[]field{{"number of values", 4, nil, nil}}, all[5:])
}

func maskOf(of func(*Message) *Mask) []field {
	return []field{
		{"source mask", 4, func(m *Message, o []byte) { of(m).SrcAddr = ipv4(o) }, nil},
		{"destination mask", 4, func(m *Message, o []byte) { of(m).DstAddr = ipv4(o) }, nil},
		{"source port mask", 2, func(m *Message, o []byte) { of(m).SrcPort = short(o) }, nil},
		{"destination port mask", 2, func(m *Message, o []byte) { of(m).DstPort = short(o) }, nil},
	}
}

func assignmentOf(m *Message) *Assignment {
	if m.Assignment != nil {
		return m.Assignment
	}
	return m.AltAssignment
}

// assignmentHead are the fields before an assignment's data, for one router.
var assignmentHead = []field{
	{"key address", 4, func(m *Message, o []byte) { assignmentOf(m).Key.Addr = ipv4(o) }, nil},
	{"key change number", 4, func(m *Message, o []byte) { assignmentOf(m).Key.Change = number(o) }, nil},
	{"number of routers", 4, nil, nil},
	{"router", 4, func(m *Message, o []byte) { assignmentOf(m).Routers[0].ID = ipv4(o) }, nil},
	{"receive id", 4, func(m *Message, o []byte) { assignmentOf(m).Routers[0].ReceiveID = number(o) }, nil},
	{"member change number", 4, func(m *Message, o []byte) { assignmentOf(m).Routers[0].MemberChange = number(o) }, nil},
}

var hashAssignment = func() []field {
	fields := slices.Concat(component(assignmentHead...), []field{
		{"number of caches", 4, nil, nil},
		{"cache", 4, func(m *Message, o []byte) { m.Assignment.Caches[0] = ipv4(o) }, nil},
	})
	for i := range 256 {
		// Of the values tried one only is a bucket of the one cache there is.
		fields = append(fields, field{fmt.Sprintf("bucket %d", i), 1, func(m *Message, o []byte) { m.Assignment.Buckets[i] = Bucket(o[0]) }, nil})
	}
	return fields
}()

var maskAssignment = func() []field {
	set := func(m *Message) *MaskValueSet { return &m.AltAssignment.Sets[0] }
	fields := slices.Concat(component(field{"assignment type", 2, nil, nil}, field{"inner length", 2, nil, nil}), assignmentHead,
		[]field{{"number of sets", 4, nil, nil}}, maskOf(func(m *Message) *Mask { return &set(m).Mask }), []field{{"number of values", 4, nil, nil}})
	for i := range 64 {
		fields = append(fields, maskOf(func(m *Message) *Mask { return &set(m).Values[i].Mask })...)
		fields = append(fields, field{"cache", 4, func(m *Message, o []byte) { set(m).Values[i].Cache = ipv4(o) }, nil})
	}
	return fields
}()

var capabilityFields = func() []field {
	fields := component()
	for i := range 3 {
		fields = append(fields,
			field{"capability", 2, func(m *Message, o []byte) { m.Capabilities[i].Type = CapabilityType(short(o)) }, nil},
			field{"capability length", 2, nil, nil},
			field{"capability value", 4, func(m *Message, o []byte) { m.Capabilities[i].Value = bytes.Clone(o) }, nil})
	}
	return fields
}()

// recordedLayouts names every octet of one recorded packet of each kind.
var recordedLayouts = []struct {
	recording, message string
	length             int
	fields             []field
}{
	{"seed", "HERE_I_AM", 144, slices.Concat(header, securityFields, serviceFields,
		component(hashIdentity(own)...), cacheViewFields, capabilityFields)},
	{"md5-two-services", "HERE_I_AM", 160, slices.Concat(header, md5Fields, serviceFields,
		component(hashIdentity(own)...), cacheViewFields, capabilityFields)},
	{"mask-echo-view", "HERE_I_AM", 132, slices.Concat(header, securityFields, serviceFields,
		component(maskIdentity(own)...), cacheViewFields, capabilityFields)},
	{"seed", "I_SEE_YOU", 168, slices.Concat(header, securityFields, serviceFields, routerIdentityFields,
		component(routerViewHead...), hashIdentity(listed), capabilityFields)},
	{"seed", "REDIRECT_ASSIGN", 336, slices.Concat(header, securityFields, serviceFields, hashAssignment)},
	{"mask-echo-view", "REDIRECT_ASSIGN", 1120, slices.Concat(header, securityFields, serviceFields, maskAssignment)},
	{"removal-query", "REMOVAL_QUERY", 64, slices.Concat(header, securityFields, serviceFields, queryFields)},
}

var cacheViewFields = component(
	field{"change number", 4, func(m *Message, o []byte) { m.CacheView.Change = number(o) }, nil},
	field{"number of routers", 4, nil, nil},
	field{"router", 4, func(m *Message, o []byte) { m.CacheView.Routers[0].ID = ipv4(o) }, nil},
	field{"receive id", 4, func(m *Message, o []byte) { m.CacheView.Routers[0].ReceiveID = number(o) }, nil},
	field{"number of caches", 4, nil, nil})

var routerIdentityFields = component(
	field{"router", 4, func(m *Message, o []byte) { m.RouterIdentity.ID = ipv4(o) }, nil},
	field{"receive id", 4, func(m *Message, o []byte) { m.RouterIdentity.ReceiveID = number(o) }, nil},
	field{"sent to", 4, func(m *Message, o []byte) { m.RouterIdentity.SentTo = ipv4(o) }, nil},
	field{"number of senders", 4, nil, nil},
	field{"received from", 4, func(m *Message, o []byte) { m.RouterIdentity.ReceivedFrom[0] = ipv4(o) }, nil})

var routerViewHead = []field{
	{"member change number", 4, func(m *Message, o []byte) { m.RouterView.MemberChange = number(o) }, nil},
	{"key address", 4, func(m *Message, o []byte) { m.RouterView.Key.Addr = ipv4(o) }, nil},
	{"key change number", 4, func(m *Message, o []byte) { m.RouterView.Key.Change = number(o) }, nil},
	{"number of routers", 4, nil, nil},
	{"router", 4, func(m *Message, o []byte) { m.RouterView.Routers[0] = ipv4(o) }, nil},
	{"number of caches", 4, nil, nil},
}

var queryFields = component(
	field{"router", 4, func(m *Message, o []byte) { m.Query.ID = ipv4(o) }, nil},
	field{"receive id", 4, func(m *Message, o []byte) { m.Query.ReceiveID = number(o) }, nil},
	field{"sent to", 4, func(m *Message, o []byte) { m.Query.SentTo = ipv4(o) }, nil},
	field{"target", 4, func(m *Message, o []byte) { m.Query.Target = ipv4(o) }, nil})

// find picks a recorded packet.
func find(t testing.TB, recording, message string, length int) []byte {
	t.Helper()
	for _, p := range recordedPackets(t) {
		if raw := p.bytes(t); p.Name == recording && p.Message == message && len(raw) == length {
			return raw
		}
	}
	t.Fatalf("%s: no %s of %d octets", recording, message, length)
	return nil
}

// Every field of a packet is read from its place, of its size, into the one field
// of the message that is meant, and no octet is left over.
func TestEveryFieldHasItsPlace(t *testing.T) {
	for _, layout := range recordedLayouts {
		t.Run(layout.recording+" "+layout.message, func(t *testing.T) {
			raw := find(t, layout.recording, layout.message, layout.length)
			at := 0
			for _, f := range layout.fields {
				if at+f.size > len(raw) {
					t.Fatalf("%s at %d is behind the packet of %d octets", f.name, at, len(raw))
				}
				f.check(t, raw, at)
				at += f.size
			}
			if at != len(raw) {
				t.Errorf("fields end at %d, the packet at %d", at, len(raw))
			}
		})
	}
}

// check puts other octets into the field and looks at what became of the message.
func (f field) check(t *testing.T, raw []byte, at int) {
	t.Helper()
	patterns := f.try
	if patterns == nil {
		patterns = [][]byte{{0xA1, 0xB2, 0xC3, 0xD4}, {0xFF}, {0x00}}
	}
	for _, pattern := range patterns {
		changed := bytes.Clone(raw)
		octets := changed[at : at+f.size]
		for i := range octets {
			octets[i] = pattern[i%len(pattern)]
		}
		if bytes.Equal(changed, raw) {
			continue
		}
		got, err := Parse(changed)
		if f.says == nil {
			if err == nil {
				if again, err := got.Append(nil, ""); err == nil && bytes.Equal(again, raw) {
					t.Errorf("%s at %d: % x changed nothing", f.name, at, octets)
				}
			}
			continue
		}
		want, before := Parse(raw)
		if before != nil {
			t.Fatal(before)
		}
		f.says(want, octets)
		if a := want.Assignment; a != nil && slices.ContainsFunc(a.Buckets[:], func(b Bucket) bool { n, is := b.Index(); return is && n >= len(a.Caches) }) {
			if err == nil {
				t.Errorf("%s at %d: a bucket without a cache is accepted", f.name, at)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s at %d: % x: %v", f.name, at, octets, err)
		} else if !reflect.DeepEqual(want, got) {
			t.Errorf("%s at %d: % x:\n%s", f.name, at, octets, cmp.Diff(want, got, equal))
		}
	}
}
