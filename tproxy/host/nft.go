package host

import (
	"fmt"

	"github.com/google/nftables"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

func ourTable() *nftables.Table {
	return &nftables.Table{Name: TableName, Family: nftables.TableFamilyINet}
}

// replaceTable puts the table in place in one transaction, over an older one.
func replaceTable(chains []chain) error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	// Adding before deleting makes the deletion valid whether it exists or not.
	conn.AddTable(ourTable())
	conn.DelTable(ourTable())
	table := conn.AddTable(ourTable())
	conn.AddChain(&nftables.Chain{Name: marker, Table: table})
	number := uint32(0)
	for _, c := range chains {
		for _, s := range c.sets {
			made, err := s.in(table)
			if err == nil {
				// A set's number counts within its transaction; left to the
				// library it comes from a variable of all connections.
				number++
				made.ID = number
				err = conn.AddSet(made, nil)
			}
			if err != nil {
				return fmt.Errorf("nftables: %w", err)
			}
		}
		made := conn.AddChain(&nftables.Chain{Name: c.name, Table: table, Type: c.kind, Hooknum: c.hook, Priority: c.priority})
		for _, r := range c.rules {
			conn.AddRule(&nftables.Rule{Table: table, Chain: made, Exprs: r.exprs})
		}
	}
	return nftError("making table "+TableName, conn.Flush())
}

func deleteTable() error {
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	conn.DelTable(ourTable())
	return nftError("removing table "+TableName, conn.Flush())
}

func nftError(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("nftables: %w", rights.Explain(err, what, cap.NET_ADMIN))
}

// tableOwner reports whether a table of our name exists, and whether we made it.
func tableOwner() (exists, ours bool, err error) {
	conn, err := nftables.New()
	if err != nil {
		return false, false, fmt.Errorf("nftables: %w", err)
	}
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		return false, false, nftError("listing chains", err)
	}
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return false, false, nftError("listing tables", err)
	}
	for _, t := range tables {
		exists = exists || t.Name == TableName
	}
	for _, c := range chains {
		ours = ours || c.Table.Name == TableName && c.Name == marker
	}
	return exists, ours, nil
}
