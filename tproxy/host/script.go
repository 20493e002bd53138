package host

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Script writes the commands Setup would carry out now, for reading or pasting.
func Script(w Want, o Options, to io.Writer) error {
	s, steps, err := planned(w, o)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	defer s.close()
	if len(steps) == 0 {
		_, err := fmt.Fprintln(to, "# nothing to do")
		return err
	}
	var text strings.Builder
	for _, step := range steps {
		command := step.command
		if o.Iptables && step.tables != "" {
			command = step.tables
		}
		text.WriteString(command + "\n")
	}
	_, err = io.WriteString(to, text.String())
	return err
}

// UndoScript writes the commands Teardown would carry out now.
func UndoScript(o Options, to io.Writer) error {
	s, err := openOurs(o)
	if err != nil {
		return fmt.Errorf("teardown: %w", err)
	}
	defer s.close()
	if !s.exists {
		_, err := fmt.Fprintln(to, "# nothing to undo")
		return err
	}
	var text strings.Builder
	if s.Table {
		fmt.Fprintf(&text, "nft delete table inet %s\n", TableName)
	}
	for _, name := range s.Routes {
		text.WriteString(localRouteText(familyOf(name), "del") + "\n")
	}
	for _, name := range s.Rules {
		text.WriteString(markRuleText(familyOf(name), "del") + "\n")
	}
	if s.LoUp {
		text.WriteString("ip link set lo down\n")
	}
	for _, c := range slices.Backward(s.Variables) {
		fmt.Fprintf(&text, "sysctl -w %s=%q\n", dotted(c.Name), c.Old)
	}
	_, err = io.WriteString(to, text.String())
	return err
}

// nftScript is one nft(8) transaction that puts our table in place.
func nftScript(chains []chain) string {
	var b strings.Builder
	b.WriteString("nft -f - <<'END'\n")
	fmt.Fprintf(&b, "add table inet %s\ndelete table inet %s\n", TableName, TableName)
	fmt.Fprintf(&b, "table inet %s {\n\tchain %s {\n\t}\n", TableName, marker)
	for _, c := range chains {
		for _, s := range c.sets {
			fmt.Fprintf(&b, "\t%s\n", s.text())
		}
	}
	for _, c := range chains {
		fmt.Fprintf(&b, "\tchain %s {\n\t\t%s\n", c.name, c.head)
		for _, r := range c.rules {
			fmt.Fprintf(&b, "\t\t%s\n", r.text)
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\nEND")
	return b.String()
}

// iptablesScript is the same for iptables(8) and ip6tables(8).
func iptablesScript(w Want) []string {
	var lines []string
	in := map[string][2]string{ // chain -> table and built-in chain
		"intercept": {"mangle", "PREROUTING"}, "translate": {"nat", "PREROUTING"}, "segments": {"mangle", "FORWARD"}, "quic": {"filter", "FORWARD"},
	}
	for _, f := range w.families() {
		if len(w.TProxy) > 0 {
			lines = append(lines,
				f.tables+" -t mangle -N DIVERT",
				fmt.Sprintf("%s -t mangle -A DIVERT -j MARK --set-xmark 0x1/0x1", f.tables),
				f.tables+" -t mangle -A DIVERT -j ACCEPT")
		}
		for _, c := range wantedChains(w) {
			for _, s := range c.sets {
				if s.family != nil && s.family.number == f.number {
					lines = append(lines, s.ipset)
				}
			}
			for _, r := range c.rules {
				if r.tables != "" && (r.family == nil || r.family.number == f.number) {
					place := in[c.name]
					lines = append(lines, fmt.Sprintf("%s -t %s -A %s %s", f.tables, place[0], place[1], r.tables))
				}
			}
		}
	}
	return lines
}
