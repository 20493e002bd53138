package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// acls is the grammar of acl.
func acls() kind {
	return kind{name: "name type value…", set: readACL,
		dump: func(c *Config, d *dumper, name string) {
			for _, a := range c.ACLs {
				a.dump(d, name)
			}
		}}
}

// dump writes the lines of one ACL. They are written as they stood when values come
// from files, because those may have blanks in them, and when values overlap: which
// of them 2.6 keeps depends on all that were there.
func (a *ACL) dump(d *dumper, name string) {
	if a.overlaps || slices.ContainsFunc(a.Lines, func(l ACLLine) bool { return l.Files != nil }) {
		for _, l := range a.Lines {
			d.line(strings.Trim(l.Text, " \t"))
		}
		return
	}
	head := name + " " + a.Name + " " + string(a.Type)
	lines := a.valueLines()
	if len(lines) == 0 {
		d.line(head)
	}
	for _, words := range lines {
		d.line(head, words...)
	}
}

// perLine is how many values a dumped acl line gets.
const perLine = 10

func chunks(list []string) [][]string {
	var out [][]string
	for len(list) > perLine {
		out, list = append(out, list[:perLine]), list[perLine:]
	}
	if len(list) > 0 {
		out = append(out, list)
	}
	return out
}

func mapWords[T any](list []T, word func(T) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = word(v)
	}
	return out
}

func (a *ACL) valueLines() [][]string {
	var lines [][]string
	add := func(words []string) { lines = append(lines, chunks(words)...) }
	add(mapWords(slices.Collect(a.Networks.All()), IPRange.String))
	add(slices.Collect(a.Domains.All()))
	lines = append(lines, regexLines(nil, slices.Collect(a.Regexes.All()))...)
	for _, h := range a.Headers {
		lines = append(lines, regexLines([]string{h.Name}, slices.Collect(h.Regexes.All()))...)
	}
	add(mapWords(a.Ports, PortRange.String))
	for _, t := range a.Times {
		lines = append(lines, []string{t.String()})
	}
	add(a.Methods)
	add(mapWords(a.Protocols, func(p string) string {
		if p == "" {
			return "none"
		}
		return p
	}))
	add(a.Words)
	add(mapWords(a.Numbers, strconv.Itoa))
	add(mapWords(a.MACs, func(m [6]byte) string {
		return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
	}))
	lines = append(lines, a.Users.lines()...)
	switch a.Type {
	case ACLMaxUserIP:
		if a.MaxUserIP.Strict {
			return [][]string{{"-s", strconv.Itoa(a.MaxUserIP.Max)}}
		}
		return [][]string{{strconv.Itoa(a.MaxUserIP.Max)}}
	case ACLRequestType:
		return a.RequestTypes.lines()
	case ACLExternal:
		return [][]string{append([]string{a.External.Type.Name}, a.External.Args...)}
	case ACLUserCert, ACLCACert:
		return [][]string{append([]string{a.Cert.Attribute}, a.Cert.Values...)}
	}
	return lines
}

// String writes the range as an acl value.
func (n IPRange) String() string {
	s := n.First.String()
	if n.Last.IsValid() {
		s += "-" + n.Last.String()
	}
	switch bits, ok := maskBits(n.Mask); {
	case ok && bits == n.First.BitLen():
	case ok && n.First.Is6():
		s += "/" + strconv.Itoa(bits)
	default:
		s += "/" + n.Mask.String()
	}
	return s
}

// maskBits is the length of a mask whose ones all come first.
func maskBits(m netip.Addr) (int, bool) {
	bits, ended := 0, false
	for _, b := range m.AsSlice() {
		for i := 7; i >= 0; i-- {
			switch one := b>>i&1 == 1; {
			case one && ended:
				return 0, false
			case one:
				bits++
			default:
				ended = true
			}
		}
	}
	return bits, true
}

// String writes the range as an acl value.
func (p PortRange) String() string {
	if p.First == p.Last {
		return strconv.Itoa(int(p.First))
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

// String writes the interval as acl values.
func (t TimeSpec) String() string {
	var b strings.Builder
	for i, c := range []byte("SMTWHFA") {
		if t.Days&(1<<i) != 0 {
			b.WriteByte(c)
		}
	}
	fmt.Fprintf(&b, " %02d:%02d-%02d:%02d", t.Start/60, t.Start%60, t.Stop/60, t.Stop%60)
	return b.String()
}

// regexLines groups patterns so that each line has one setting of case.
func regexLines(head []string, list []Regex) [][]string {
	var lines [][]string
	if head != nil {
		// All patterns of a header line must stay together.
		icase := false
		for _, re := range list {
			if re.ICase != icase {
				icase = re.ICase
				head = append(head, map[bool]string{true: "-i", false: "+i"}[icase])
			}
			head = append(head, re.Pattern)
		}
		return [][]string{head}
	}
	for i, re := range list {
		if i == 0 || re.ICase != list[i-1].ICase || len(lines[len(lines)-1]) > perLine {
			lines = append(lines, nil)
			if re.ICase {
				lines[len(lines)-1] = []string{"-i"}
			}
		}
		last := &lines[len(lines)-1]
		*last = append(*last, re.Pattern)
	}
	return lines
}

// lines writes the list so that the words with a meaning come first where they
// have it, and names that look like them do not.
func (u UserList) lines() [][]string {
	var flags, names [][]string
	if u.Required {
		flags = append(flags, []string{"REQUIRED"})
	}
	if u.ICase {
		flags = append(flags, []string{"-i"})
	}
	if len(u.Names) > 0 {
		names = [][]string{u.Names}
		if u.Names[0] == "REQUIRED" || u.Names[0] == "-i" {
			if len(flags) > 0 {
				last := len(flags) - 1
				flags[last] = append(flags[last], u.Names...)
				return flags
			}
		}
	}
	return append(names, flags...)
}

func (t RequestTypes) lines() [][]string {
	var list []string
	for _, w := range []struct {
		on   bool
		word string
	}{{t.Accelerated, "accelerated"}, {t.Transparent, "transparent"}, {t.Internal, "internal"}} {
		if w.on {
			list = append(list, w.word)
		}
	}
	return [][]string{list}
}
