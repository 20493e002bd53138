package conf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// effectWords say what becomes of a value, in the words of the reference.
var effectWords = map[Effect]string{
	Pending:  "read and checked; not acted on in this release",
	Acts:     "acts",
	Obsolete: "read for compatibility; nothing is left to act on",
}

// inert lists the options of the directive with an effect, by name.
func (d *Directive) inert(e Effect) (names []string) {
	for _, o := range d.Options {
		if o.Effect == e {
			names = append(names, o.Name)
		}
	}
	return names
}

// WriteEffects writes directives.md: what each directive does in this release, in
// the chapters of the reference.
func WriteEffects(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# What each directive does\n\nMade from the table of directives by `go generate ./conf`. A file that gives one without effect is told so once, "+
		"at the start, in cache.log; `squid -k parse -v` names each and counts them.\n")
	for _, s := range sections() {
		fmt.Fprintf(out, "\n## %s\n\n| directive | effect |\n|---|---|\n", s.title)
		for i := range s.rows {
			d := &s.rows[i]
			effect := effectWords[d.Effect]
			if d.Gone != "" {
				effect = "gone: " + d.Gone
			}
			if names := d.inert(Pending); d.Effect == Acts && len(names) > 0 {
				effect += ", but for `" + strings.Join(names, "` `") + "`"
			}
			fmt.Fprintf(out, "| `%s` | %s |\n", d.Name, effect)
		}
	}
	return out.Flush()
}
