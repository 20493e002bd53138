package conf

import (
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

var wccpFlagWords = []struct {
	name string
	bit  WCCPFlags
}{
	{"src_ip_hash", WCCPSrcIPHash}, {"dst_ip_hash", WCCPDstIPHash},
	{"source_port_hash", WCCPSrcPortHash}, {"dst_port_hash", WCCPDstPortHash}, {"ports_source", WCCPPortsSource},
	{"src_ip_alt_hash", WCCPSrcIPAltHash}, {"dst_ip_alt_hash", WCCPDstIPAltHash},
	{"src_port_alt_hash", WCCPSrcPortAltHash}, {"dst_port_alt_hash", WCCPDstPortAltHash},
}

// wccpMethod is a number, or one of two words (an extension).
func wccpMethod(one, two string, field func(*Config) *int) kind {
	k := number(field)
	k.name = "1|2"
	plain := k.set
	k.set = func(r *reader) error {
		mark := *r
		switch w, _ := r.word(); w {
		case one, two:
			*field(r.b.cfg) = map[string]int{one: 1, two: 2}[w]
			r.extension(r.dir.Name+":"+w, "the word "+w, "2.6 wants the number: 1 for "+one+", 2 for "+two+".")
			return nil
		}
		*r = mark
		return plain(r)
	}
	return k
}

// wccpMask reads the mask of wccp2_mask, decimal or hexadecimal. Its values are
// spelled out one by one in assignments, which bounds its bits.
func wccpMask() kind {
	return single("mask", func(c *Config) *uint32 { return &c.WCCP.Mask }, func(r *reader) (uint32, error) {
		w, _ := r.word()
		v, n := cLong(w, 0)
		if n == 0 || n != len(w) || v < 1 || v > math.MaxUint32 || bits.OnesCount64(uint64(v)) > 8 {
			return 0, r.bungled(fmt.Sprintf("%q is no mask of one to eight bits", w), "Write a number like 0x1741.")
		}
		return uint32(v), nil
	}, func(v uint32) string { return fmt.Sprintf("%#x", v) })
}

var wccpDivisionWords = []string{WCCPDivideRecorded: "recorded", WCCPDivideMinimal: "minimal"}

func wccpDivision() kind {
	return single("recorded|minimal", func(c *Config) *WCCPDivision { return &c.WCCP.Division }, func(r *reader) (WCCPDivision, error) {
		w, _ := r.word()
		i := slices.Index(wccpDivisionWords, w)
		if i < 0 {
			return 0, r.unknownWord("division", w, wccpDivisionWords)
		}
		return WCCPDivision(i), nil
	}, func(v WCCPDivision) string { return wccpDivisionWords[v] })
}

func wccpRouters(field func(*WCCP) *[]netip.AddrPort) kind {
	return kind{name: "address[:port]…",
		set: func(r *reader) error {
			w := &r.b.cfg.WCCP
			for word := range each(r.word) {
				a, err := r.routerAddress(word)
				if err != nil {
					return err
				}
				if list := field(w); a.IsValid() {
					*list = append(*list, a)
				}
				if w.RouterPos == (parser.Pos{}) {
					w.RouterPos = r.namePos()
				}
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, a := range *field(&c.WCCP) {
				if a.Port() == 0 {
					d.line(name, a.Addr().String())
				} else {
					d.line(name, a.String())
				}
			}
		}}
}

// routerAddress reads host, host:port or a bare port (facts wccp_router_*), and an IPv6
// address, with a port in brackets.
func (r *reader) routerAddress(w string) (netip.AddrPort, error) {
	if a, ok := ipv6Router(w); ok {
		r.extension("wccp2_router:ipv6", "an IPv6 address of wccp2_router",
			"2.6 speaks to IPv4 routers only. Those of IPv6 are told of this cache in messages of version 2.01, and asked for layer 2.")
		return a, nil
	}
	if host, digits, ok := strings.Cut(w, ":"); ok {
		port, err := r.port16(digits, r.here())
		if err != nil {
			return netip.AddrPort{}, err
		}
		if port == 0 {
			return netip.AddrPort{}, r.bungled("port 0 cannot be reached", "")
		}
		a, err := r.addressOf(host)
		return netip.AddrPortFrom(a, port), err
	}
	if v, n := cLong(w, 10); n > 0 && n == len(w) {
		r.warn("wccp-router-port", fmt.Sprintf("%q is read as a port of the address 0.0.0.0, not as a router", w), "", "")
		return netip.AddrPortFrom(anyAddr, uint16(v)), nil
	}
	a, err := r.addressOf(w)
	return netip.AddrPortFrom(a, 0), err
}

// ipv6Router reads an IPv6 address, which has two colons at least: alone, in brackets, or
// in brackets with a port.
func ipv6Router(w string) (netip.AddrPort, bool) {
	a, err := netip.ParseAddrPort(w)
	if err != nil {
		host := w
		if strings.HasPrefix(w, "[") && strings.HasSuffix(w, "]") {
			host = w[1 : len(w)-1]
		}
		var addr netip.Addr
		addr, err = netip.ParseAddr(host)
		a = netip.AddrPortFrom(addr, 0)
	} else if a.Port() == 0 {
		return a, false
	}
	return a, err == nil && a.Addr().Is6() && a.Addr().Zone() == "" && !a.Addr().Is4In6()
}

func wccpServices() kind {
	services := func(c *Config) *[]*WCCPService { return &c.WCCP.Services }
	return lines("standard|dynamic id [password=…]", services, func(r *reader, add func(*WCCPService)) error {
		s, err := r.wccpService()
		if err == nil {
			add(s)
		}
		return err
	}, func(d *dumper, s *WCCPService) []string {
		list := []string{"standard", strconv.Itoa(int(s.ID))}
		if s.Dynamic {
			list[0] = "dynamic"
		}
		if s.HasPassword {
			list = append(list, "password="+d.secret(s.Password))
		}
		return list
	})
}

func (r *reader) wccpService() (*WCCPService, error) {
	w, ok := r.word()
	if !ok {
		r.say("wccp2ParseServiceInfo: missing service info type (standard|dynamic)")
		return nil, r.bungled("standard or dynamic is missing", "")
	}
	if w != "standard" && w != "dynamic" {
		r.say("wccp2ParseServiceInfo: bad service info type (expected standard|dynamic, got %s)", w)
		return nil, r.unknownWord("kind of service", w, []string{"standard", "dynamic"})
	}
	id, err := r.integer()
	if err != nil {
		return nil, err
	}
	if id < 0 || id > 255 {
		r.say("wccp2ParseServiceInfo: service info id %d is out of range (0..255)", id)
		return nil, r.badServiceID(id)
	}
	s := &WCCPService{Dynamic: w == "dynamic", ID: uint8(id), Pos: r.namePos()}
	if w, ok := r.word(); ok {
		pass, isPassword := strings.CutPrefix(w, "password=")
		switch {
		case !isPassword:
			r.warn("wccp-service-word", fmt.Sprintf("the word %q is ignored", w), "Only password= may stand here.", "")
		case len(pass) > 8:
			r.warn("wccp-password", "only the first eight characters of the password count", "", "")
			s.Password, s.HasPassword = pass[:8], true
		default:
			s.Password, s.HasPassword = pass, true
		}
	}
	return s, nil
}

func (r *reader) badServiceID(id int) error {
	return r.bungled(fmt.Sprintf("service id %d is out of range", id), "Ids go from 0 to 255.")
}

func wccpServiceInfo() kind {
	return kind{name: "id protocol=tcp|udp flags=… priority=0-255 ports=…",
		set: readWCCPServiceInfo,
		dump: func(c *Config, d *dumper, name string) {
			for i, s := range c.WCCP.Services {
				if s.HasInfo && firstDynamic(c.WCCP.Services, s.ID) == i {
					d.line(name, s.infoWords()...)
				}
			}
		}}
}

// firstDynamic is the index of the first dynamic service of that id, -1 for none:
// the one that service info belongs to.
func firstDynamic(list []*WCCPService, id uint8) int {
	for i, s := range list {
		if s.Dynamic && s.ID == id {
			return i
		}
	}
	return -1
}

// wccpInfo is one wccp2_service_info line; id is the number the line begins with.
type wccpInfo struct {
	id                 int
	priority, protocol int // -1 and 0 until the line says
	flags              WCCPFlags
	ports              [8]uint16
}

func readWCCPServiceInfo(r *reader) error {
	id, err := r.integer()
	if err != nil {
		return err
	}
	if id < 0 || id > 255 {
		return r.badServiceID(id)
	}
	services := r.b.cfg.WCCP.Services
	i := firstDynamic(services, uint8(id))
	if i < 0 {
		return r.aborted("parse_wccp2_service_info: unknown dynamic service id %d: you need to define it using wccp2_service "+
			"(and make sure you wish to configure it as a dynamic service.)\n", id)
	}
	services[i].InfoPos = r.namePos()
	info := wccpInfo{id: id, priority: -1}
	for w := range each(r.word) {
		if err := r.wccpInfoOption(&info, w); err != nil {
			return err
		}
	}
	switch whole := r.all(); {
	case info.priority == -1:
		return r.abortedAt(whole, "parse_wccp2_service_info: service %d: no priority defined (valid: 0..255)!\n", id)
	case info.protocol == 0:
		return r.abortedAt(whole, "parse_wccp2_service_info: service %d: no protocol defined (valid: tcp or udp)!\n", id)
	case info.flags&WCCPPortsDefined == 0:
		return r.abortedAt(whole, "parse_wccp2_service_info: service %d: no ports defined!\n", id)
	}
	s := services[i]
	s.HasInfo = true
	s.Priority, s.Protocol, s.Flags, s.Ports = uint8(info.priority), uint8(info.protocol), info.flags, info.ports
	return nil
}

func (r *reader) wccpInfoOption(info *wccpInfo, w string) (err error) {
	name, value, hasValue := strings.Cut(w, "=")
	if !hasValue {
		name = "no option"
	}
	switch name + "=" {
	case "flags=":
		// In 2.6 the word replaces what ports= noted, so that the line fails
		// (fact wccp_flags_after_ports); here the order is free.
		noted := info.flags & WCCPPortsDefined
		if info.flags, err = r.wccpFlags(value); err != nil {
			return err
		}
		if noted != 0 {
			info.flags |= noted
			r.extension("wccp2_service_info:flags=", "flags= behind ports=", "2.6 forgets the ports then and refuses the line.")
		}
	case "ports=":
		if err := r.wccpPorts(value, &info.ports); err != nil {
			return err
		}
		info.flags |= WCCPPortsDefined
	case "protocol=":
		switch {
		case strings.HasPrefix(value, "tcp"):
			info.protocol = 6
		case strings.HasPrefix(value, "udp"):
			info.protocol = 17
		default:
			return r.aborted("parse_wccp2_service_info: id %d: unknown protocol (%s) - must be tcp or udp!\n", info.id, w)
		}
	case "priority=":
		v, _ := cLong(value, 0)
		if info.priority = int(int32(v)); info.priority < 0 || info.priority > 255 {
			return r.aborted("parse_wccp2_service_info: id %d: %s out of range (0..255)!\n", info.id, w)
		}
	default:
		return r.aborted("parse_wccp2_service_info: id %d: unknown option '%s'\n", info.id, w)
	}
	return nil
}

func (r *reader) wccpFlags(value string) (WCCPFlags, error) {
	var flags WCCPFlags
words:
	for _, w := range strings.Split(value, ",") {
		var names []string
		for _, f := range wccpFlagWords {
			if names = append(names, f.name); w == f.name {
				flags |= f.bit
				continue words
			}
		}
		return 0, &refusal{at: r.here(), abort: fmt.Sprintf("Unknown wccp2 service flag: %s\n", w),
			summary: fmt.Sprintf("unknown service flag %q", w), suggestion: nearest(w, names), detail: "Valid: " + strings.Join(names, ", ") + "."}
	}
	return flags, nil
}

// wccpPorts reads up to eight ports. 2.6 refuses the eighth although the protocol
// carries eight (fact wccp_info_ports_8); here it is an extension.
func (r *reader) wccpPorts(value string, ports *[8]uint16) error {
	list := strings.Split(value, ",")
	for i, w := range list {
		if i == len(ports) {
			return r.aborted("parse_wccp2_service_ports: too many ports (maximum: 8) in list '%s'\n", value)
		}
		v, _ := cLong(w, 0)
		if v = int64(int32(v)); v < 1 || v > 65535 {
			return r.aborted("parse_wccp2_service_ports: port value '%s' isn't valid (1..65535)\n", w)
		}
		ports[i] = uint16(v)
	}
	if len(list) == len(ports) {
		r.extension("wccp2_service_info:ports=8", "an eighth port", "2.6 stops at seven although the protocol carries eight.")
	}
	return nil
}

func (s *WCCPService) infoWords() []string {
	list := []string{strconv.Itoa(int(s.ID)), "protocol=tcp"}
	if s.Protocol == 17 {
		list[1] = "protocol=udp"
	}
	var flags, ports []string
	for _, f := range wccpFlagWords {
		if s.Flags&f.bit != 0 {
			flags = append(flags, f.name)
		}
	}
	for _, p := range s.Ports {
		if p != 0 {
			ports = append(ports, strconv.Itoa(int(p)))
		}
	}
	if flags != nil {
		list = append(list, "flags="+strings.Join(flags, ","))
	}
	return append(list, "priority="+strconv.Itoa(int(s.Priority)), "ports="+strings.Join(ports, ","))
}
