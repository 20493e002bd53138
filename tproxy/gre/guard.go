package gre

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// guardTable is the nftables table that drops strangers' GRE in front of the
// kernel's catch-all tunnel, which cannot tell routers apart.
const guardTable = "cuttle-gre"

func guardParts() (*nftables.Table, *nftables.Chain) {
	t := &nftables.Table{Name: guardTable, Family: nftables.TableFamilyIPv4}
	return t, &nftables.Chain{Name: "routers", Table: t}
}

// guard lets these addresses alone send us GRE, in one transaction. As nft(8):
//
//	table ip cuttle-gre {
//	  chain routers { ip saddr 192.0.2.1 return; counter drop }
//	  chain in { type filter hook prerouting priority raw;
//	    meta l4proto gre fib daddr type local @th,16,16 0x883e goto routers; …
//	    iifname "DEVICE" fib daddr type != unicast counter drop }
//	}
//
// The last rule keeps what comes out of the tunnel from this host itself: local,
// broadcast and multicast addresses. Only the protocols routers redirect with are looked at: other tunnels of the
// host are nobody's business here.
func guard(routers []netip.Addr, device string) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	table, allowed := guardParts()
	// Adding before deleting makes the deletion valid whether it exists or not.
	conn.AddTable(table)
	conn.DelTable(table)
	conn.AddTable(table)
	conn.AddChain(allowed)
	in := conn.AddChain(&nftables.Chain{Name: "in", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityRaw})
	for _, r := range routers {
		if r = r.Unmap(); r.Is4() {
			conn.AddRule(&nftables.Rule{Table: table, Chain: allowed, Exprs: []expr.Any{
				&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
				same(r.AsSlice()), &expr.Verdict{Kind: expr.VerdictReturn}}})
		}
	}
	conn.AddRule(&nftables.Rule{Table: table, Chain: allowed, Exprs: []expr.Any{&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}})
	for _, protocol := range []uint16{ProtocolWCCP, ProtocolIPv4, ProtocolIPv6} {
		conn.AddRule(&nftables.Rule{Table: table, Chain: in, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: unix.NFT_REG_1}, same([]byte{unix.IPPROTO_GRE}),
			&expr.Fib{Register: unix.NFT_REG_1, FlagDADDR: true, ResultADDRTYPE: true},
			same(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
			&expr.Payload{DestRegister: unix.NFT_REG_1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			same(binaryutil.BigEndian.PutUint16(protocol)),
			&expr.Verdict{Kind: expr.VerdictGoto, Chain: allowed.Name}}})
	}
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, device)
	conn.AddRule(&nftables.Rule{Table: table, Chain: in, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: unix.NFT_REG_1}, same(name),
		&expr.Fib{Register: unix.NFT_REG_1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: unix.NFT_REG_1, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_UNICAST)},
		&expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop}}})
	return guardError(conn.Flush())
}

func same(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: data}
}

// unguard removes the table; it is no error when there is none.
func unguard() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	table, _ := guardParts()
	conn.AddTable(table)
	conn.DelTable(table)
	return guardError(conn.Flush())
}

func guardError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("nftables: %w", rights.Explain(err, "keeping strangers' GRE out", cap.NET_ADMIN))
}

// strangers counts what the guard in force has dropped.
func strangers() uint64 {
	conn, err := nftables.New()
	if err != nil {
		return 0
	}
	rules, err := conn.GetRules(guardParts())
	if err != nil {
		return 0
	}
	var n uint64
	for _, r := range rules {
		for _, e := range r.Exprs {
			if c, is := e.(*expr.Counter); is {
				n += c.Packets
			}
		}
	}
	return n
}
