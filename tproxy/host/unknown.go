package host

import (
	"fmt"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy"
)

// When a cache joins, or is given buckets, it gets packets from the middle of
// connections that go past it or over another cache. A listener would answer
// them with a reset. They are nobody's here, and so go on: forwarded, or given
// back to the router that sent them. A connection is therefore taken by its SYN,
// and known afterwards by its socket.
//
// One packet of ours has neither: while a flood of SYNs fills the listener's
// queue, the kernel answers with cookies and keeps nothing, and the ACK that
// brings the cookie back finds no socket. So the rules remember for a while whose
// SYN they saw. When even that memory is full they let the listener have
// everything, as if there were no connections but its own.

const (
	// openingTime is for an ACK to follow its SYN; later ones come with a socket,
	// and a client that heard no answer repeats the SYN.
	openingTime = 10 * time.Second
	// openingSize bounds the memory to some 20 MB a family, which only a flood uses.
	openingSize = 1 << 17
	// crowdedSet holds the ports whose memory is full; a port a connection to which
	// was remembered again leaves it after openingTime.
	crowdedSet = "crowded"
)

// set is a named set of the table, filled by rules.
type set struct {
	name, key string // as nft(8) writes them
	types     []nftables.SetDatatype
	size      uint32
	// ipset is the command that makes the like for iptables; "" when it needs none.
	ipset  string
	family *family // as a rule's
}

// openingSet is the name of the connections that were begun a moment ago.
func openingSet(f family) string { return fmt.Sprintf("opening%c", f.name[3]) }

// openingSets are those the rules of the families use.
func openingSets(families []family) []set {
	sets := []set{{name: crowdedSet, key: "inet_service", types: []nftables.SetDatatype{nftables.TypeInetService}, size: 1 << 16}}
	for _, f := range families {
		sets = append(sets, set{
			name: openingSet(f), key: f.addressKey + " . " + f.addressKey + " . inet_service",
			types: []nftables.SetDatatype{f.address, f.address, nftables.TypeInetService}, size: openingSize,
			ipset: fmt.Sprintf("ipset create %s-%s hash:ip,port,ip family %s timeout %d maxelem %d forceadd -exist",
				TableName, openingSet(f), f.ipset, int(openingTime.Seconds()), openingSize),
			family: &f,
		})
	}
	return sets
}

// text is the set in a table of nft(8).
func (s set) text() string {
	return fmt.Sprintf("set %s { type %s; size %d; flags dynamic,timeout; }", s.name, s.key, s.size)
}

// in is the set for the kernel.
func (s set) in(table *nftables.Table) (*nftables.Set, error) {
	made := &nftables.Set{
		Table: table, Name: s.name, KeyType: s.types[0], KeyByteOrder: binaryutil.BigEndian,
		Dynamic: true, HasTimeout: true, Size: s.size,
	}
	if len(s.types) > 1 {
		key, err := nftables.ConcatSetType(s.types...)
		if err != nil {
			return nil, fmt.Errorf("set %s: %w", s.name, err)
		}
		made.KeyType, made.Concatenation = key, true
	}
	return made, nil
}

// takingRules are those of one port: a SYN is taken and remembered, or taken and
// the memory called full; then the ACK of a connection that is remembered, or
// whatever comes while the memory is full.
func takingRules(f family, p Port, iface string) []rule {
	in, inTables, from := inputText(iface)
	match := fmt.Sprintf("%smeta nfproto ipv%c tcp dport %d ", in, f.name[3], p.Of)
	take := fmt.Sprintf(" tproxy %s to %s meta mark set meta mark or 0x%x accept", f.nft, p.place(), tproxy.DivertMark)
	const syn, timeout = "tcp flags & (syn | ack) == syn ", " timeout 10s }"
	key := fmt.Sprintf("%[1]s saddr . %[1]s daddr . tcp sport", f.nft)

	matches := join(from, isFamily(f), isTCP(), toPort(p.Of))
	taken := join(tproxyTo(f, p), orMark(tproxy.DivertMark), accept())

	tables := fmt.Sprintf("%s-p tcp --dport %d ", inTables, p.Of)
	tablesSYN := tables + "--tcp-flags SYN,ACK SYN "
	tablesSet := fmt.Sprintf("set %s-%s src,src,dst", TableName, openingSet(f))
	tablesTake := fmt.Sprintf("-j TPROXY --on-port %d%s --tproxy-mark 0x%x/0x%x", p.To, p.onIP(), tproxy.DivertMark, tproxy.DivertMark)
	return []rule{
		{
			role: roleTProxy, family: &f,
			text:   match + syn + "update @" + openingSet(f) + " { " + key + timeout + take,
			exprs:  join(matches, isSYN(), connection(f), remember(openingSet(f)), taken),
			tables: tablesSYN + "-j SET --add-" + tablesSet + " --exist",
		},
		{
			role: roleTProxy, family: &f,
			text:   match + syn + "update @" + crowdedSet + " { tcp dport" + timeout + take,
			exprs:  join(matches, isSYN(), destinationPort(), remember(crowdedSet), taken),
			tables: tablesSYN + tablesTake,
		},
		{
			role: roleTProxy, family: &f,
			text:   match + key + " @" + openingSet(f) + take,
			exprs:  join(matches, connection(f), isIn(openingSet(f)), taken),
			tables: tables + "-m set --match-" + tablesSet + " " + tablesTake,
		},
		{
			// The sets of iptables forget an older connection when they are full.
			role: roleTProxy, family: &f,
			text:  match + "tcp dport @" + crowdedSet + take,
			exprs: join(matches, destinationPort(), isIn(crowdedSet), taken),
		},
	}
}

// closingRules come last. Sockets of connections that are just beginning or have
// just ended are no whole sockets, and the kernel knows no "wildcard" of theirs;
// what is left then is a listener on every address, which only has the number of
// the port in common with the packet. A SYN is not theirs to have: it may begin a
// connection anew, which TPROXY knows how to do. The socket match of iptables has
// taken all of them already.
func closingRules() []rule {
	return []rule{
		{
			role:  roleUnknown,
			text:  "meta l4proto tcp socket wildcard 1 accept",
			exprs: join(isTCP(), socketIs(expr.SocketKeyWildcard, 1), accept()),
		},
		{
			role:  roleDivert,
			text:  fmt.Sprintf("meta l4proto tcp socket transparent 1 meta mark set meta mark or 0x%x accept", tproxy.DivertMark),
			exprs: join(isTCP(), socketIs(expr.SocketKeyTransparent, 1), orMark(tproxy.DivertMark), accept()),
		},
	}
}

// connection loads "saddr . daddr . tcp sport" into the registers of a key, each
// part at a multiple of four octets.
func connection(f family) []expr.Any {
	size, at := uint32(f.address.Bytes), f.addressesAt
	part := func(n uint32) uint32 { // the n-th address
		if at := n * size; at%16 != 0 {
			return unix.NFT_REG32_00 + at/4
		} else { // the kernel has two names for these, and tells this one
			return register + at/16
		}
	}
	return []expr.Any{
		&expr.Payload{DestRegister: part(0), Base: expr.PayloadBaseNetworkHeader, Offset: at, Len: size},
		&expr.Payload{DestRegister: part(1), Base: expr.PayloadBaseNetworkHeader, Offset: at + size, Len: size},
		&expr.Payload{DestRegister: part(2), Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 2},
	}
}

// remember puts the key into a set for openingTime; while the set is full the
// rule ends here.
func remember(name string) []expr.Any {
	return []expr.Any{&expr.Dynset{SrcRegKey: register, SetName: name, Operation: uint32(unix.NFT_DYNSET_OP_UPDATE), Timeout: openingTime}}
}

func isIn(name string) []expr.Any {
	return []expr.Any{&expr.Lookup{SourceRegister: register, SetName: name}}
}
