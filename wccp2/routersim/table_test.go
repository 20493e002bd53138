package routersim

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func drawAddress(t *rapid.T, name string) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], rapid.Uint32().Draw(t, name))
	return netip.AddrFrom4(b)
}

// Requests divided by source and replies by destination have to meet at one cache:
// this is what full transparency rests on.
func TestPairedServicesMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		out, back := &Table{Service: requests}, &Table{Service: replies}
		n := rapid.IntRange(1, 8).Draw(t, "caches")
		for i := range n {
			target := Target{Cache: netip.AddrFrom4([4]byte{10, 66, 0, byte(i)})}
			out.Targets, back.Targets = append(out.Targets, target), append(back.Targets, target)
		}
		for i := range 256 {
			owner := rapid.Uint8Range(0, uint8(n-1)).Draw(t, "owner")
			out.Buckets[i], back.Buckets[i] = owner, owner
		}
		request := Flow{
			Source: drawAddress(t, "client"), Destination: drawAddress(t, "origin"), Protocol: 6,
			SourcePort: rapid.Uint16().Draw(t, "port"), DestinationPort: 80,
		}
		reply := Flow{
			Source: request.Destination, Destination: request.Source, Protocol: 6,
			SourcePort: 80, DestinationPort: request.SourcePort,
		}
		one, found := out.Choose(request)
		other, foundToo := back.Choose(reply)
		if !found || !foundToo || one.Target != other.Target {
			t.Fatalf("request to %v, reply to %v", one.Target, other.Target)
		}
	})
}

func TestAlternateHash(t *testing.T) {
	service := requests
	service.Flags |= wire.DstIPAltHash
	table := &Table{Service: service, Targets: []Target{{Cache: netip.MustParseAddr("10.66.0.20")}, {Cache: netip.MustParseAddr("10.66.0.21")}}}
	flow := Flow{Source: netip.MustParseAddr("0.0.0.7"), Destination: netip.MustParseAddr("0.0.0.9"), Protocol: 6, DestinationPort: 80}
	table.Alternate[7] = true
	table.Buckets[9] = 1
	choice, found := table.Choose(flow)
	if !found || !choice.Alternate || choice.Bucket != 7 || choice.AlternateBucket != 9 || choice.Target != table.Targets[1] {
		t.Errorf("chose %+v %v", choice, found)
	}
}

func TestTraffic(t *testing.T) {
	web := Flow{Protocol: 6, SourcePort: 40000, DestinationPort: 80}
	answer := Flow{Protocol: 6, SourcePort: 80, DestinationPort: 40000}
	for name, test := range map[string]struct {
		service     wire.Service
		out, inward bool
	}{
		"requests":     {requests, true, false},
		"replies":      {replies, false, true},
		"web-cache":    {wire.Service{}, true, false},
		"all of TCP":   {wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 1}, Protocol: 6}, true, true},
		"all of UDP":   {wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 1}, Protocol: 17}, false, false},
		"standard 5":   {wire.Service{ServiceID: wire.ServiceID{ID: 5}}, false, false},
		"ports, empty": {wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 1}, Protocol: 6, Flags: wire.PortsDefined}, false, false},
	} {
		traffic, any := TrafficOf(test.service)
		if got := any && traffic.Includes(web); got != test.out {
			t.Errorf("%s: request included: %v", name, got)
		}
		if got := any && traffic.Includes(answer); got != test.inward {
			t.Errorf("%s: reply included: %v", name, got)
		}
	}
}

func FuzzFlowOf(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 0, 80})
	f.Add([]byte{0x4F, 0, 0, 20})
	f.Add([]byte{0x45, 0, 0, 40, 0, 0, 0x20, 1, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, packet []byte) {
		flow, ok := FlowOf(packet)
		if ok && (len(packet) < 20 || !flow.Source.Is4()) {
			t.Errorf("%x: %+v", packet, flow)
		}
	})
}
