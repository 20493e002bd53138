package host

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// asLive is a rule of ours as the kernel would tell of it.
func asLive(t *testing.T, exprs []expr.Any) liveRule {
	t.Helper()
	r := liveRule{family: unix.NFPROTO_INET, table: "t", chain: "c"}
	for _, e := range exprs {
		encoded, err := expr.Marshal(r.family, e)
		must(t, err)
		list, err := netlink.NewAttributeDecoder(wrap(encoded))
		must(t, err)
		must(t, r.decodeExprs(list))
	}
	return r
}

// Each rule we make is read back for what it is, without a kernel in between.
func TestOwnRulesAreUnderstood(t *testing.T) {
	for name, w := range goldenWants {
		for _, c := range wantedChains(w) {
			for _, r := range c.rules {
				live := asLive(t, r.exprs)
				if !live.is(r.exprs) {
					t.Errorf("%s: not recognised: %s", name, r.text)
				}
				i, takesPart := live.intercept()
				switch r.role {
				case roleTProxy, roleRedirect:
					if strings.Contains(r.text, " dnat ") { // not looked for
						continue
					}
					if !takesPart || i.role != r.role || i.family != r.family.number || i.of == 0 || i.to == 0 || i.to == i.of && i.of != 80 && i.of != 443 {
						t.Errorf("%s: %+v from %s", name, i, r.text)
					}
				case roleDivert:
					if !takesPart || i.role != roleDivert || i.family != 0 {
						t.Errorf("%s: %+v from %s", name, i, r.text)
					}
				default:
					if takesPart {
						t.Errorf("%s: takes part as %+v: %s", name, i, r.text)
					}
				}
			}
		}
	}
}

// Comparisons that are none with a port, or with all but one, mean no certain port.
func TestPortsOfLiveRules(t *testing.T) {
	port := func(op expr.CmpOp, data []byte) expr.Any { return &expr.Cmp{Op: op, Register: register, Data: data} }
	take := tproxyTo(ipv4, Port{To: 3129})
	for _, c := range []struct {
		name  string
		exprs []expr.Any
		want  uint16
	}{
		{"equal", join(toPort(80), take), 80},
		{"all but one", join(destinationPort(), []expr.Any{port(expr.CmpOpNeq, []byte{0, 22})}, take), 0},
		{"from a port on", join(destinationPort(), []expr.Any{port(expr.CmpOpGte, []byte{0, 80})}, take), 0},
		{"in a set", join(destinationPort(), isIn("ports"), take), 0},
		{"the source's", join([]expr.Any{&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2}, equal([]byte{0, 80})}, take), 0},
		{"no value", join(destinationPort(), []expr.Any{port(expr.CmpOpEq, nil)}, take), 0},
		{"nothing behind", join(take, destinationPort()), 0},
	} {
		if i, is := asLive(t, c.exprs).intercept(); !is || i.of != c.want || i.to != 3129 {
			t.Errorf("%s: %+v, want port %d", c.name, i, c.want)
		}
	}
}

// What iptables leaves with the kernel as its own structures.
func TestXtablesStructures(t *testing.T) {
	tcp := func(low, high uint16, inverted byte) []byte {
		info := make([]byte, 12)
		binary.NativeEndian.PutUint16(info[4:], low)
		binary.NativeEndian.PutUint16(info[6:], high)
		info[11] = inverted
		return info
	}
	compat := func(flags uint32, addr []byte, port uint16) []byte {
		info := make([]byte, 20)
		binary.NativeEndian.PutUint32(info[4:], flags)
		copy(info[8:], addr)
		binary.BigEndian.PutUint16(info[16:], port)
		return info
	}
	natInfo := func(flags uint32, addr netip.Addr, port uint16) []byte {
		info := make([]byte, 40)
		binary.NativeEndian.PutUint32(info, flags)
		copy(info[4:], addr.AsSlice())
		binary.BigEndian.PutUint16(info[36:], port)
		return info
	}
	tproxy0, tproxy1 := make([]byte, 16), make([]byte, 32)
	binary.BigEndian.PutUint16(tproxy0[12:], 3129)
	binary.BigEndian.PutUint16(tproxy1[24:], 3130)
	for _, c := range []struct {
		name string
		info []byte
		want intercept
	}{
		{"tcp", tcp(80, 80, 0), intercept{of: 80}},
		{"tcp", tcp(80, 90, 0), intercept{}},
		{"tcp", tcp(80, 80, 2), intercept{}},
		{"tcp", tcp(80, 80, 1), intercept{of: 80}},
		{"tcp", []byte{1, 2, 3}, intercept{}},
		{"TPROXY", tproxy0, intercept{role: roleTProxy, to: 3129}},
		{"TPROXY", tproxy1, intercept{role: roleTProxy, to: 3130}},
		{"TPROXY", []byte{1}, intercept{}},
		{"socket", nil, intercept{role: roleDivert}},
		{"REDIRECT", nil, intercept{role: roleRedirect}},
		{"REDIRECT", compat(2, nil, 3129), intercept{role: roleRedirect, to: 3129}},
		{"REDIRECT", compat(0, nil, 3129), intercept{role: roleRedirect}},
		{"DNAT", compat(3, []byte{10, 1, 0, 1}, 3129), intercept{role: roleRedirect, to: 3129, addr: netip.MustParseAddr("10.1.0.1")}},
		{"DNAT", natInfo(3, netip.MustParseAddr("2001:db8::1"), 3129), intercept{role: roleRedirect, to: 3129, addr: netip.MustParseAddr("2001:db8::1")}},
		{"comment", []byte("socket"), intercept{}},
	} {
		data, err := netlink.MarshalAttributes([]netlink.Attribute{{Type: 1, Data: append([]byte(c.name), 0)}, {Type: 3, Data: c.info}})
		must(t, err)
		var got intercept
		got.fromXtables(liveExpr{name: "match", data: data})
		if got != c.want {
			t.Errorf("%s % x: %+v, want %+v", c.name, c.info, got, c.want)
		}
	}
	for _, data := range [][]byte{nil, {1}, {0, 0, 0, 0}, {255, 255, 255, 255, 1}} { // what is no attribute
		var got intercept
		got.fromXtables(liveExpr{data: data})
		if got != (intercept{}) {
			t.Errorf("% x: %+v", data, got)
		}
	}
}

// Rules saved as text, in the forms operators write them.
func TestSavedWords(t *testing.T) {
	const tcp = unix.IPPROTO_TCP
	for line, want := range map[string]intercept{
		"-p tcp -m socket --transparent -j DIVERT": {role: roleDivert, proto: tcp},
		"-p tcp -m socket -j DIVERT":               {role: roleDivert, proto: tcp},
		"-p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff":        {role: roleTProxy, of: 80, to: 3129, proto: tcp},
		"-i eth0 -p tcp -m tcp --dport 80 --tcp-flags SYN,ACK SYN -j TPROXY --on-port 80 --tproxy-mark 0x1/0x1": {role: roleTProxy, of: 80, to: 80, iface: "eth0", proto: tcp},
		"! -i eth0 -p tcp -m tcp --dport 80 -j REDIRECT":                                                        {role: roleRedirect, of: 80, proto: tcp},
		"-p tcp -m tcp ! --dport 22 -j TPROXY --on-port 3129":                                                   {role: roleTProxy, to: 3129, proto: tcp},
		"-p tcp -m tcp --dport 80:90 -j TPROXY --on-port 3129":                                                  {role: roleTProxy, to: 3129, proto: tcp},
		"-p tcp -m multiport --dports 80,8080 -j TPROXY --on-port 3129":                                         {role: roleTProxy, to: 3129, proto: tcp},
		"-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128":                                                  {role: roleRedirect, of: 80, to: 3128, proto: tcp},
		"-p tcp -m tcp --dport 80 -j REDIRECT":                                                                  {role: roleRedirect, of: 80, proto: tcp},
		"-p tcp -m tcp --dport 99999 -j REDIRECT --to-ports x":                                                  {role: roleRedirect, proto: tcp},
		"-p tcp -m tcp --dport 80 -j ACCEPT":                                                                    {of: 80, proto: tcp},
		"-i lan0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.1:3129":                               {role: roleRedirect, of: 80, to: 3129, iface: "lan0", proto: tcp, addr: netip.MustParseAddr("10.1.0.1")},
		"-p udp -m udp --dport 80 -j REDIRECT --to-ports 3129":                                                  {role: roleRedirect, of: 80, to: 3129, proto: unix.IPPROTO_UDP},
		"-j":      {},
		"--dport": {},
		"":        {},
	} {
		var got intercept
		got.fromWords(strings.Fields(line))
		if got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}
