package conf

import (
	"slices"
	"sort"
)

// Directive is one row of the table of everything squid.conf can say.
type Directive struct {
	// Name is the main name; Aliases are the old ones that still work.
	Name    string
	Aliases []string
	// Default is the built-in value as it would be written, "" for none. Words
	// between @ are paths of the build.
	Default string
	// IfNone is the line added when the file gives none.
	IfNone string
	// Since is the release of 2.6 that brought the directive, "" for the first.
	Since string
	// Gone says what became of the directive, for those that are no more.
	Gone string
	// Extension says where a directive 2.6 does not know comes from.
	Extension string
	// Build names a compile-time feature that 2.6 as built by default is without. Such
	// directives count as unknown ones, as there; those that act do so all the same.
	Build string
	// Effect reports whether the value is acted on.
	Effect Effect
	// Options are the words inside its lines that are not, where the rest is.
	Options []Option
	// Harm says why a start is refused while the directive is Pending, nil where it
	// is not.
	Harm *Harm
	// Help is the documentation, in whole sentences.
	Help string
	// Example is a line, or several, that can stand in a file.
	Example string

	kind kind
}

// Effect tells what becomes of a directive's value.
type Effect uint8

// The effects of a directive. Whoever makes one work changes its row.
const (
	// Pending: read, checked and dumped, and nothing acts on it yet.
	Pending Effect = iota
	// Acts: something acts on it.
	Acts
	// Obsolete: there is nothing left to act on; Help says why.
	Obsolete
)

// Grammar is the name of the value's grammar.
func (d *Directive) Grammar() string { return d.kind.name }

// table is every directive, each once. 2.6's own come in its order, which is the
// order in which lists that are still empty get their default line.
var table []Directive

// byName finds rows by main and old names.
var byName map[string]*Directive

func init() {
	table = slices.Concat(accessRows, portRows, sslRows, peerRows, storeRows, logRows, helperRows, refreshRows, headerRows,
		timeoutRows, adminRows, delayRows, wccpRows, snmpRows, digestRows, errorRows, dnsRows, tuningRows, extensionRows, squid27Rows)
	byName = make(map[string]*Directive, len(table)+20)
	for i := range table {
		byName[table[i].Name] = &table[i]
		for _, a := range table[i].Aliases {
			byName[a] = &table[i]
		}
	}
}

// Lookup finds the row of a directive, nil when the name is unknown to 2.6 as built by
// default. Names are exact.
func Lookup(name string) *Directive {
	if d := byName[name]; d != nil && d.Build == "" {
		return d
	}
	return nil
}

// Directives are all rows.
func Directives() []*Directive {
	list := make([]*Directive, len(table))
	for i := range table {
		list[i] = &table[i]
	}
	return list
}

// directiveNames are the names that can be used.
func directiveNames() []string {
	var list []string
	for name, d := range byName {
		if d.Build == "" {
			list = append(list, name)
		}
	}
	return sortedStrings(list)
}

func sortedStrings(list []string) []string {
	sort.Strings(list)
	return list
}

// sortedKeys are the keys of a map as strings, in order.
func sortedKeys[K ~string, V any](m map[K]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, string(k))
	}
	return sortedStrings(list)
}
