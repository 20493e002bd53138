package host

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// intercept is a live rule that takes part in interception, whoever made it.
type intercept struct {
	role   role
	where  string     // "nftables inet cuttle intercept", "iptables-legacy mangle PREROUTING"
	family int        // AF_INET, AF_INET6, 0 for both
	of     uint16     // destination port; 0 for any
	to     uint16     // of the listener; 0 for the same
	weight int        // priority of its chain: lower comes first
	iface  string     // the only one it looks at; "" for all
	proto  byte       // the only protocol above IP; 0 for any
	addr   netip.Addr // of the listener, where translation names one
}

var tableFamilies = map[byte]string{unix.NFPROTO_INET: "inet", unix.NFPROTO_IPV4: "ip", unix.NFPROTO_IPV6: "ip6"}

// intercept reads what a rule does out of its expressions. Rules that iptables
// made by way of nftables carry its matches and targets as they are.
func (r liveRule) intercept() (intercept, bool) {
	i := intercept{where: fmt.Sprintf("nftables %s %s %s", tableFamilies[r.family], r.table, r.chain)}
	switch r.family {
	case unix.NFPROTO_IPV4:
		i.family = unix.AF_INET
	case unix.NFPROTO_IPV6:
		i.family = unix.AF_INET6
	}
	var immediate, before []byte // what was loaded last, and before that
	for n, e := range r.exprs {
		switch e.name {
		case "socket":
			if !r.asksForListener(n) {
				i.role = roleDivert
			}
		case "tproxy":
			i.role, i.to = roleTProxy, portOf(immediate)
		case "redir":
			i.role, i.to = roleRedirect, portOf(immediate)
		case "immediate":
			if value := nestedValue(e, unix.NFTA_IMMEDIATE_DATA); value != nil {
				immediate, before = value, immediate
			}
		case "nat": // address, then port, as this program and nft load them
			if kind, _ := e.number(unix.NFTA_NAT_TYPE); kind == unix.NFT_NAT_DNAT {
				i.role, i.to = roleRedirect, portOf(immediate)
				i.addr, _ = netip.AddrFromSlice(before)
			}
		case "payload":
			if port, is := r.portMatch(n); is {
				i.of = port
			}
			if proto, is := r.protoMatch(n); is {
				i.proto = proto
			}
		case "meta":
			value := r.compared(n + 1)
			switch key, _ := e.number(unix.NFTA_META_KEY); {
			case key == unix.NFT_META_NFPROTO && len(value) == 1:
				i.family = int(value[0])
			case key == unix.NFT_META_L4PROTO && len(value) == 1:
				i.proto = value[0]
			case key == unix.NFT_META_IIFNAME:
				i.iface = trimNUL(string(value))
			case key == unix.NFT_META_IIF && len(value) == 4:
				if link, err := net.InterfaceByIndex(int(binary.NativeEndian.Uint32(value))); err == nil {
					i.iface = link.Name
				}
			}
		case "match", "target":
			i.fromXtables(e)
		}
	}
	return i, i.role != ""
}

// asksForListener reports whether the socket match at expression n is for sockets on
// every address, which are listeners.
func (r liveRule) asksForListener(n int) bool {
	const socketKey = 1 // NFTA_SOCKET_KEY
	key, _ := r.exprs[n].number(socketKey)
	value := r.compared(n + 1)
	return key == uint32(expr.SocketKeyWildcard) && len(value) > 0 && value[0] == 1
}

// portMatch recognises "tcp dport N" at expression n.
func (r liveRule) portMatch(n int) (uint16, bool) {
	base, _ := r.exprs[n].number(unix.NFTA_PAYLOAD_BASE)
	offset, _ := r.exprs[n].number(unix.NFTA_PAYLOAD_OFFSET)
	if base != unix.NFT_PAYLOAD_TRANSPORT_HEADER || offset != 2 {
		return 0, false
	}
	value := r.compared(n + 1)
	return portOf(value), len(value) == 2
}

// protoMatch recognises "ip protocol N" at expression n, as iptables has it written.
func (r liveRule) protoMatch(n int) (byte, bool) {
	base, _ := r.exprs[n].number(unix.NFTA_PAYLOAD_BASE)
	offset, _ := r.exprs[n].number(unix.NFTA_PAYLOAD_OFFSET)
	value := r.compared(n + 1)
	if base != unix.NFT_PAYLOAD_NETWORK_HEADER || offset != 9 || r.family != unix.NFPROTO_IPV4 || len(value) != 1 {
		return 0, false
	}
	return value[0], true
}

// compared is the value expression n asks to be equal to, if it does.
func (r liveRule) compared(n int) []byte {
	if n >= len(r.exprs) || r.exprs[n].name != "cmp" {
		return nil
	}
	if op, _ := r.exprs[n].number(unix.NFTA_CMP_OP); op != unix.NFT_CMP_EQ {
		return nil
	}
	return nestedValue(r.exprs[n], unix.NFTA_CMP_DATA)
}

func nestedValue(e liveExpr, kind uint16) []byte {
	data := liveExpr{data: e.attribute(kind)}
	return data.attribute(unix.NFTA_DATA_VALUE)
}

func portOf(b []byte) uint16 {
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// fromXtables reads iptables' own matches and targets (include/uapi/linux/netfilter).
func (i *intercept) fromXtables(e liveExpr) {
	const nameKind, infoKind = 1, 3 // NFTA_MATCH_NAME, NFTA_MATCH_INFO; NFTA_TARGET_ alike
	info := e.attribute(infoKind)
	name := string(e.attribute(nameKind))
	switch name = trimNUL(name); {
	case name == "socket":
		i.role = roleDivert
	case name == "TPROXY" && len(info) >= 28: // mark, mask, address (16), port
		i.role, i.to = roleTProxy, portOf(info[24:])
	case name == "TPROXY" && len(info) >= 14: // version 0: mark, mask, IPv4 address, port
		i.role, i.to = roleTProxy, portOf(info[12:])
	case name == "REDIRECT", name == "DNAT":
		i.role = roleRedirect
		i.addr, i.to = natRange(info, i.family)
	case name == "tcp" && len(info) >= 8: // source ports, destination ports: from, to
		const otherPorts = 2 // XT_TCP_INV_DSTPT
		inverted := len(info) >= 12 && info[11]&otherPorts != 0
		if low, high := binary.NativeEndian.Uint16(info[4:]), binary.NativeEndian.Uint16(info[6:]); low == high && !inverted {
			i.of = low
		}
	}
}

// natRange reads where a translation of iptables leads (nf_nat_ipv4_multi_range_compat,
// nf_nat_range): an address and a port, each only where it is named.
func natRange(info []byte, family int) (addr netip.Addr, port uint16) {
	const mapsAddress, mapsPort = 1, 2 // NF_NAT_RANGE_MAP_IPS, NF_NAT_RANGE_PROTO_SPECIFIED
	from, size, ports := 0, 16, 36
	if len(info) < 40 {
		from, size, ports = 4, 4, 16
	} else if family == unix.AF_INET {
		size = 4
	}
	if len(info) < ports+2 {
		return addr, 0
	}
	flags := binary.NativeEndian.Uint32(info[from:])
	if flags&mapsAddress != 0 {
		addr, _ = netip.AddrFromSlice(info[from+4 : from+4+size])
	}
	if flags&mapsPort != 0 {
		port = portOf(info[ports:])
	}
	return addr, port
}

func trimNUL(s string) string {
	for len(s) > 0 && s[len(s)-1] == 0 {
		s = s[:len(s)-1]
	}
	return s
}
