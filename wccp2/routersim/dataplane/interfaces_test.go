package dataplane

import (
	"reflect"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func TestMatchesAreTriedInOrder(t *testing.T) {
	id := func(n uint8) wire.ServiceID { return wire.ServiceID{Type: wire.Dynamic, ID: n} }
	service := func(n, priority uint8, port uint16) wire.Service {
		return wire.Service{ServiceID: id(n), Priority: priority, Protocol: 6, Flags: wire.PortsDefined, Ports: [8]uint16{port}}
	}
	interfaces := []routersim.Interface{
		{Name: "a", In: []wire.ServiceID{id(1), id(2), id(9)}, Out: []wire.ServiceID{id(3)}},
		{Name: "b", In: []wire.ServiceID{id(3)}, Exclude: true},
	}
	services := map[wire.ServiceID]wire.Service{id(1): service(1, 10, 80), id(2): service(2, 20, 80), id(3): service(3, 0, 443)}
	got := matches(interfaces, services, map[wire.ServiceID]uint32{id(1): 1, id(2): 2, id(3): 3})
	traffic := func(port uint16) routersim.Traffic { return routersim.Traffic{Protocol: 6, Ports: []uint16{port}} }
	want := []match{
		{"a", false, traffic(80), 2}, // the higher priority first
		{"a", false, traffic(80), 1},
		{"b", false, traffic(443), 3},
		{"a", true, traffic(443), 3}, // what goes out after everything that comes in
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if keys := keysOf(interfaces); !reflect.DeepEqual(keys, []wire.ServiceID{id(1), id(2), id(9), id(3)}) {
		t.Errorf("keys %v", keys)
	}
}

func TestDeviceNamesFitTheKernel(t *testing.T) {
	for key, want := range map[wire.ServiceID]string{
		{}:                             "wccp-s0",
		{Type: wire.Dynamic, ID: 255}:  "wccp-d255",
		{Type: wire.Standard, ID: 255}: "wccp-s255",
	} {
		if got := deviceName(key); got != want || len(got) > 15 {
			t.Errorf("%v: %q", key, got)
		}
	}
}
