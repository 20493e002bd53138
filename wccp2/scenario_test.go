package wccp2

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// scenario is one recording of testdata/wccp2 (its README lists the fields).
type scenario struct {
	Name       string   `json:"-"`
	About      string   `json:"about"`
	Conf       []string `json:"conf"`
	Routers    []string `json:"routers"`
	RouterArgs []string `json:"router_args"`
	Events     []event  `json:"events"`
	Seconds    float64  `json:"seconds"`
	Judge      string   `json:"judge"`
	Rules      [][]any  `json:"rules"`
	Recorded   struct {
		Packets []recordedPacket             `json:"packets"`
		Events  []struct{ Ev, Group string } `json:"events"`
	} `json:"recorded"`
}

type recordedPacket struct {
	T                         float64
	Dir, Router, Message, Hex string
}

// event is [second, command].
type event struct {
	At      float64
	Command struct {
		Cmd, Name string
		Set       json.RawMessage
		Count     int
		Seed      uint64
	}
}

func (e *event) UnmarshalJSON(b []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if err := json.Unmarshal(pair[0], &e.At); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &e.Command)
}

// selfAddr is the cache's address in the recordings.
var selfAddr = netip.MustParseAddr("10.66.0.20")

// routerAddr is the address of the n-th router, counted from 1.
func routerAddr(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 66, 0, byte(100 + n)}) }

// place resolves "@R1@", "@SELF@" and plain addresses.
func place(t testing.TB, s string) netip.Addr {
	t.Helper()
	if s == "@SELF@" {
		return selfAddr
	}
	if n, ok := strings.CutPrefix(s, "@R"); ok {
		i, err := strconv.Atoi(strings.TrimSuffix(n, "@"))
		if err != nil {
			t.Fatal(err)
		}
		return routerAddr(i)
	}
	return netip.MustParseAddr(s)
}

func loadScenarios(t testing.TB) []*scenario {
	t.Helper()
	names, err := filepath.Glob("../testdata/wccp2/*.json")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d recordings, %v", len(names), err)
	}
	var all []*scenario
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := &scenario{Name: strings.TrimSuffix(filepath.Base(name), ".json")}
		if err := json.Unmarshal(b, s); err != nil {
			t.Fatal(name, err)
		}
		all = append(all, s)
	}
	return all
}

var flagWords = map[string]uint32{
	"src_ip_hash": wire.SrcIPHash, "dst_ip_hash": wire.DstIPHash, "source_port_hash": wire.SrcPortHash, "dst_port_hash": wire.DstPortHash,
	"ports_source": wire.PortsSource, "src_ip_alt_hash": wire.SrcIPAltHash, "dst_ip_alt_hash": wire.DstIPAltHash,
	"src_port_alt_hash": wire.SrcPortAltHash, "dst_port_alt_hash": wire.DstPortAltHash,
}

// config makes the engine's configuration of the scenario's lines.
func (s *scenario) config(t testing.TB) Config {
	cfg := Config{Forwarding: 1, Return: 1, Assignment: 1, Weight: 10000, Local: func(netip.Addr) netip.Addr { return selfAddr }}
	number := func(w string) int {
		n, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, line := range s.Conf {
		w := strings.Fields(line)
		switch w[0] {
		case "wccp2_router":
			cfg.Routers = append(cfg.Routers, netip.AddrPortFrom(place(t, w[1]), wire.Port))
		case "wccp_router":
			cfg.V1 = &V1Config{Router: netip.AddrPortFrom(place(t, w[1]), wire.Port), Version: wire.VersionV1}
		case "wccp2_forwarding_method":
			cfg.Forwarding = uint32(number(w[1]))
		case "wccp2_return_method":
			cfg.Return = uint32(number(w[1]))
		case "wccp2_assignment_method":
			cfg.Assignment = uint32(number(w[1]))
		case "wccp2_weight":
			cfg.Weight = uint16(number(w[1]))
		case "wccp2_service":
			var svc Service
			if w[1] == "dynamic" {
				svc.Type = wire.Dynamic
			}
			svc.ID = uint8(number(w[2]))
			if len(w) > 3 {
				svc.Password, svc.Secure = strings.CutPrefix(w[3], "password=")
			}
			cfg.Services = append(cfg.Services, svc)
		case "wccp2_service_info":
			at := slices.IndexFunc(cfg.Services, func(x Service) bool { return x.Type == wire.Dynamic && int(x.ID) == number(w[1]) })
			describe(t, &cfg.Services[at], w[2:])
		default:
			t.Fatalf("%s: directive %s", s.Name, w[0])
		}
	}
	if len(cfg.Services) == 0 && len(cfg.Routers) > 0 {
		cfg.Services = []Service{{}}
	}
	return cfg
}

func describe(t testing.TB, s *Service, words []string) {
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		switch k {
		case "protocol":
			s.Protocol = map[string]uint8{"tcp": 6, "udp": 17}[v]
		case "priority":
			n, _ := strconv.Atoi(v)
			s.Priority = uint8(n)
		case "flags":
			for _, f := range strings.Split(v, ",") {
				bit, ok := flagWords[f]
				if !ok {
					t.Fatal(f)
				}
				s.Flags |= bit
			}
		case "ports":
			s.Flags |= wire.PortsDefined
			for i, p := range strings.Split(v, ",") {
				n, _ := strconv.Atoi(p)
				s.Ports[i] = uint16(n)
			}
		}
	}
}
