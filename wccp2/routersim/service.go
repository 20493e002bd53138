package routersim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// ParseService reads a service as operators write it: "web-cache" (standard 0, as
// on a router's command line), "80" (dynamic, likewise), "standard/0", "dynamic/80".
func ParseService(text string) (wire.ServiceID, error) {
	if text == "web-cache" {
		return wire.ServiceID{}, nil
	}
	kind, number, split := strings.Cut(text, "/")
	if !split {
		kind, number = "dynamic", text
	}
	id, err := strconv.ParseUint(number, 10, 8)
	if err != nil || kind != "dynamic" && kind != "standard" {
		return wire.ServiceID{}, fmt.Errorf("service %q: want web-cache, a number from 0 to 255, standard/N or dynamic/N", text)
	}
	if kind == "standard" {
		return wire.ServiceID{Type: wire.Standard, ID: uint8(id)}, nil
	}
	return wire.ServiceID{Type: wire.Dynamic, ID: uint8(id)}, nil
}

// Traffic says which packets belong to a service.
type Traffic struct {
	Protocol uint8
	Ports    []uint16 // empty: any port
	Source   bool     // Ports are source ports
}

// TrafficOf is the part of a service that selects packets. A standard service
// carries no description on the wire: number 0 is the web, other numbers have no
// published meaning and select nothing.
func TrafficOf(service wire.Service) (Traffic, bool) {
	if service.Type == wire.Standard {
		return Traffic{Protocol: protocolTCP, Ports: []uint16{80}}, service.ID == 0
	}
	traffic := Traffic{Protocol: service.Protocol, Source: service.Flags&wire.PortsSource != 0}
	if service.Flags&wire.PortsDefined == 0 {
		return traffic, true
	}
	for _, port := range service.Ports {
		if port == 0 {
			break
		}
		traffic.Ports = append(traffic.Ports, port)
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

// hashedFields gives the fields that choose the bucket; a standard service hashes
// the destination address.
func hashedFields(service wire.Service) uint32 {
	if service.Type == wire.Standard {
		return wire.DstIPHash
	}
	return service.Flags
}
