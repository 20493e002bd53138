package dataplane

import (
	"cmp"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// match is one rule: packets of a service on an interface.
type match struct {
	iface   string
	out     bool
	traffic routersim.Traffic
	mark    uint32
}

// matches puts the redirections of all interfaces in the order in which they are
// tried: incoming before outgoing, and of several services on an interface the one
// with the highest priority first. Services without traffic of their own are left out.
func matches(interfaces []routersim.Interface, services map[wire.ServiceID]wire.Service, marks map[wire.ServiceID]uint32) []match {
	var in, out []match
	for _, i := range interfaces {
		in = append(in, matchesOf(i.Name, i.In, false, services, marks)...)
		out = append(out, matchesOf(i.Name, i.Out, true, services, marks)...)
	}
	return append(in, out...)
}

func matchesOf(iface string, keys []wire.ServiceID, out bool, services map[wire.ServiceID]wire.Service, marks map[wire.ServiceID]uint32) []match {
	var active []wire.Service
	for _, key := range keys {
		if service, known := services[key]; known {
			active = append(active, service)
		}
	}
	slices.SortStableFunc(active, func(a, b wire.Service) int { return cmp.Compare(b.Priority, a.Priority) })
	var found []match
	for _, service := range active {
		if traffic, any := routersim.TrafficOf(service); any {
			found = append(found, match{iface, out, traffic, marks[service.ServiceID]})
		}
	}
	return found
}

// keysOf lists every service some interface redirects, once each.
func keysOf(interfaces []routersim.Interface) []wire.ServiceID {
	var keys []wire.ServiceID
	for _, i := range interfaces {
		for _, key := range slices.Concat(i.In, i.Out) {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}
