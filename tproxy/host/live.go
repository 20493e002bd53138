package host

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// liveRule is a rule as the kernel has it, of any table and family. The nftables
// library leaves out the expressions it cannot decode, the socket and tproxy
// expressions among them, so rules are read here.
type liveRule struct {
	family       byte
	table, chain string
	exprs        []liveExpr
}

// liveExpr is one expression: its name and its attributes, still encoded.
type liveExpr struct {
	name string
	data []byte
}

// liveRules reads all nftables rules of the namespace, in their order.
func liveRules() ([]liveRule, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	defer conn.Close()
	const get = unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETRULE
	replies, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: get, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, 4), // struct nfgenmsg: any family
	})
	if err != nil {
		return nil, nftError("listing rules", err)
	}
	rules := make([]liveRule, 0, len(replies))
	for _, m := range replies {
		if len(m.Data) < 4 {
			continue
		}
		r := liveRule{family: m.Data[0]}
		if err := r.decode(m.Data[4:]); err != nil {
			return nil, fmt.Errorf("nftables: a rule of the kernel: %w", err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func (r *liveRule) decode(data []byte) error {
	ad, err := netlink.NewAttributeDecoder(data)
	if err != nil {
		return err
	}
	for ad.Next() {
		switch ad.Type() {
		case unix.NFTA_RULE_TABLE:
			r.table = ad.String()
		case unix.NFTA_RULE_CHAIN:
			r.chain = ad.String()
		case unix.NFTA_RULE_EXPRESSIONS:
			ad.Nested(r.decodeExprs)
		}
	}
	return ad.Err()
}

func (r *liveRule) decodeExprs(list *netlink.AttributeDecoder) error {
	for list.Next() {
		list.Nested(func(ad *netlink.AttributeDecoder) error {
			var e liveExpr
			for ad.Next() {
				switch ad.Type() {
				case unix.NFTA_EXPR_NAME:
					e.name = ad.String()
				case unix.NFTA_EXPR_DATA:
					e.data = ad.Bytes()
				}
			}
			r.exprs = append(r.exprs, e)
			return nil
		})
	}
	return nil
}

// is reports whether the live rule says what the wanted expressions say. The kernel
// reports more attributes than it was given (defaults); those do not count.
func (r liveRule) is(want []expr.Any) bool {
	if len(r.exprs) != len(want) {
		return false
	}
	for i, w := range want {
		encoded, err := expr.Marshal(r.family, w)
		if err != nil {
			return false
		}
		var e liveRule
		if inner, err := netlink.NewAttributeDecoder(wrap(encoded)); err != nil || e.decodeExprs(inner) != nil || len(e.exprs) != 1 {
			return false
		}
		if e.exprs[0].name != r.exprs[i].name || !covers(r.exprs[i].data, e.exprs[0].data) {
			return false
		}
	}
	return true
}

// wrap makes one attribute of a payload, as a list of expressions has them.
func wrap(payload []byte) []byte {
	b, _ := netlink.MarshalAttributes([]netlink.Attribute{{Type: unix.NFTA_LIST_ELEM, Data: payload}})
	return b
}

// attribute flags in the type field of a netlink attribute.
const attributeFlags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER

// covers reports whether every attribute of want is in have, with the same value.
func covers(have, want []byte) bool {
	if bytes.Equal(have, want) {
		return true
	}
	wanted, err := netlink.UnmarshalAttributes(want)
	if err != nil || len(wanted) == 0 {
		return false
	}
	there, err := netlink.UnmarshalAttributes(have)
	if err != nil {
		return false
	}
	for _, w := range wanted {
		if !coversOne(there, w) {
			return false
		}
	}
	return true
}

func coversOne(there []netlink.Attribute, w netlink.Attribute) bool {
	absent := true
	for _, h := range there {
		if h.Type&^attributeFlags != w.Type&^attributeFlags {
			continue
		}
		if bytes.Equal(h.Data, w.Data) || covers(h.Data, w.Data) {
			return true
		}
		absent = false
	}
	// An attribute that says zero may also be left out.
	return absent && len(bytes.Trim(w.Data, "\x00")) == 0
}

// attribute finds one attribute of an expression.
func (e liveExpr) attribute(kind uint16) []byte {
	attrs, err := netlink.UnmarshalAttributes(e.data)
	if err != nil {
		return nil
	}
	for _, a := range attrs {
		if a.Type&^attributeFlags == kind {
			return a.Data
		}
	}
	return nil
}

// number reads an attribute of two or four octets in network order.
func (e liveExpr) number(kind uint16) (uint32, bool) {
	switch data := e.attribute(kind); len(data) {
	case 2:
		return uint32(binary.BigEndian.Uint16(data)), true
	case 4:
		return binary.BigEndian.Uint32(data), true
	}
	return 0, false
}

// tableIs reports whether our table holds exactly these rules.
func tableIs(chains []chain) (bool, error) {
	rules, err := liveRules()
	if err != nil {
		return false, err
	}
	byChain := map[string][]liveRule{}
	for _, r := range rules {
		if r.table == TableName && r.family == unix.NFPROTO_INET {
			byChain[r.chain] = append(byChain[r.chain], r)
		}
	}
	if len(byChain) != len(chains) {
		return false, nil
	}
	for _, c := range chains {
		if !sameRules(byChain[c.name], c.rules) {
			return false, nil
		}
	}
	return true, nil
}

func sameRules(have []liveRule, want []rule) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range want {
		if !have[i].is(want[i].exprs) {
			return false
		}
	}
	return true
}
