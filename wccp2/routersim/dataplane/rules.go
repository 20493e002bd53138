package dataplane

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// ruleset is our nftables table; it marks the packets that leave the kernel's path.
type ruleset struct {
	conn  *nftables.Conn
	table *nftables.Table
	chain *nftables.Chain
}

const rulesetName = "routersim"

// newRuleset makes the table anew, in place of one a killed router may have left.
func newRuleset() (*ruleset, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	r := &ruleset{conn: conn}
	table := &nftables.Table{Name: rulesetName, Family: nftables.TableFamilyIPv4}
	// Adding before deleting makes the deletion valid whether the table exists or not.
	conn.AddTable(table)
	conn.DelTable(table)
	r.table = conn.AddTable(table)
	r.chain = conn.AddChain(&nftables.Chain{
		Name:     "redirect",
		Table:    r.table,
		Type:     nftables.ChainTypeFilter,
		Hooknum:  nftables.ChainHookPrerouting,
		Priority: nftables.ChainPriorityMangle,
	})
	if err := conn.Flush(); err != nil {
		return nil, fmt.Errorf("nftables: making table %s: %w", rulesetName, err)
	}
	return r, nil
}

// replace puts new rules in the place of the old ones in one transaction.
func (r *ruleset) replace(exclude []string, matches []match) error {
	r.conn.FlushChain(r.chain)
	accept := &expr.Verdict{Kind: expr.VerdictAccept}
	r.add(inputName(devicePrefix), []expr.Any{accept})
	for _, name := range exclude {
		r.add(inputName(name+"\x00"), []expr.Any{accept})
	}
	for _, m := range matches {
		set := []expr.Any{
			&expr.Immediate{Register: 1, Data: binaryutil.NativeEndian.PutUint32(m.mark)},
			&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1},
			accept,
		}
		for _, selected := range m.selectors() {
			r.add(selected, set)
		}
	}
	if err := r.conn.Flush(); err != nil {
		return fmt.Errorf("nftables: rules of %s: %w", rulesetName, err)
	}
	return nil
}

func (r *ruleset) add(parts ...[]expr.Any) {
	rule := &nftables.Rule{Table: r.table, Chain: r.chain}
	for _, part := range parts {
		rule.Exprs = append(rule.Exprs, part...)
	}
	r.conn.AddRule(rule)
}

func (r *ruleset) remove() error {
	r.conn.DelTable(r.table)
	return r.conn.Flush()
}

// selectors gives one selection for each port of the match, or one for all ports.
func (m match) selectors() [][]expr.Any {
	base := inputName(m.iface + "\x00")
	if m.out {
		base = outputName(m.iface + "\x00")
	}
	base = append(base,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{m.traffic.Protocol}})
	if len(m.traffic.Ports) == 0 {
		return [][]expr.Any{base}
	}
	offset := uint32(2)
	if m.traffic.Source {
		offset = 0
	}
	var all [][]expr.Any
	for _, port := range m.traffic.Ports {
		all = append(all, append(base[:len(base):len(base)],
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)}))
	}
	return all
}

// inputName selects packets by the interface they came in by. A name that ends in
// a zero octet is meant whole, any other as the beginning of names.
func inputName(name string) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: interfaceName(name)},
	}
}

// outputName selects packets by the interface a route lookup now would choose.
func outputName(name string) []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: 1, ResultOIFNAME: true, FlagDADDR: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: interfaceName(name)},
	}
}

func interfaceName(name string) []byte {
	if name[len(name)-1] != 0 {
		return []byte(name)
	}
	whole := make([]byte, unix.IFNAMSIZ)
	copy(whole, name)
	return whole
}
