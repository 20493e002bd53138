package routersim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Key names a service group. A standard and a dynamic service may have the same
// number and are then two groups.
type Key struct {
	Dynamic bool
	ID      uint8
}

// String writes the key as in "dynamic/80".
func (k Key) String() string {
	if k.Dynamic {
		return "dynamic/" + strconv.Itoa(int(k.ID))
	}
	return "standard/" + strconv.Itoa(int(k.ID))
}

// MarshalText lets keys stand in JSON events as String writes them.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ParseKey reads a service as operators write it: "web-cache" (standard 0, as on
// a router's command line), "80" (dynamic, likewise), "standard/0", "dynamic/80".
func ParseKey(text string) (Key, error) {
	if text == "web-cache" {
		return Key{}, nil
	}
	kind, number, split := strings.Cut(text, "/")
	if !split {
		kind, number = "dynamic", text
	}
	id, err := strconv.ParseUint(number, 10, 8)
	if err != nil || kind != "dynamic" && kind != "standard" {
		return Key{}, fmt.Errorf("service %q: want web-cache, a number from 0 to 255, standard/N or dynamic/N", text)
	}
	return Key{Dynamic: kind == "dynamic", ID: uint8(id)}, nil
}

// Flags say which fields of a packet choose its bucket and what the port list means
// (service info component of draft-wilson-wrec-wccp-v2-01).
type Flags uint32

// The bits of Flags.
const (
	SourceAddressHash Flags = 1 << iota
	DestinationAddressHash
	SourcePortHash
	DestinationPortHash
	PortsDefined
	PortsSource // the port list names source ports

	SourceAddressAlternateHash      Flags = 0x100
	DestinationAddressAlternateHash Flags = 0x200
	SourcePortAlternateHash         Flags = 0x400
	DestinationPortAlternateHash    Flags = 0x800
)

// Service is what the caches of a group announce about its traffic.
type Service struct {
	Key
	Priority uint8 // the service with the highest priority takes a packet that several match
	Protocol uint8 // IP protocol number
	Flags    Flags
	Ports    [8]uint16 // 0 where unused
}

// Traffic says which packets belong to a service.
type Traffic struct {
	Protocol uint8
	Ports    []uint16 // empty: any port
	Source   bool     // Ports are source ports
}

// Traffic is the part of the service that selects packets. A standard service
// carries no description on the wire: number 0 is the web, other numbers have no
// published meaning and select nothing.
func (s Service) Traffic() (Traffic, bool) {
	if !s.Dynamic {
		return Traffic{Protocol: protocolTCP, Ports: []uint16{80}}, s.ID == 0
	}
	traffic := Traffic{Protocol: s.Protocol, Source: s.Flags&PortsSource != 0}
	if s.Flags&PortsDefined == 0 {
		return traffic, true
	}
	for _, port := range s.Ports {
		if port != 0 {
			traffic.Ports = append(traffic.Ports, port)
		}
	}
	return traffic, len(traffic.Ports) > 0
}

// Includes reports whether the packet belongs to the service.
func (t Traffic) Includes(flow Flow) bool {
	if flow.Protocol != t.Protocol {
		return false
	}
	if len(t.Ports) == 0 {
		return true
	}
	port := flow.DestinationPort
	if t.Source {
		port = flow.SourcePort
	}
	return slices.Contains(t.Ports, port)
}

// hashed gives the fields that choose the bucket; a standard service hashes the
// destination address.
func (s Service) hashed() Flags {
	if !s.Dynamic {
		return DestinationAddressHash
	}
	return s.Flags
}
