package conf

import (
	"bytes"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// Masked stands in dumps for what is secret.
const Masked = "XXXXXXXXXX"

// dumper writes directives.
type dumper struct {
	out     bytes.Buffer
	secrets bool
}

// line writes one line; empty words are left out.
func (d *dumper) line(name string, words ...string) {
	start := d.out.Len()
	d.out.WriteString(name)
	for _, w := range words {
		if w != "" {
			d.out.WriteByte(' ')
			d.out.WriteString(w)
		}
	}
	if long := d.out.Bytes()[start:]; len(long) > parser.PieceSize {
		long = continued(long)
		d.out.Truncate(start)
		d.out.Write(long)
	}
	d.out.WriteByte('\n')
}

// continued breaks a line that is longer than can be read at once. A piece must not
// begin like a comment.
func continued(line []byte) []byte {
	var out []byte
	for len(line) > parser.PieceSize {
		n := parser.PieceSize - 1
		for n > 1 && line[n] == '#' {
			n--
		}
		out = append(append(out, line[:n]...), "\\\n"...)
		line = line[n:]
	}
	return append(out, line...)
}

// secret masks a password unless secrets were asked for.
func (d *dumper) secret(s string) string {
	if d.secrets || s == "" {
		return s
	}
	return Masked
}

// login masks the password of cache_peer login=.
func (d *dumper) login(s string) string {
	if d.secrets || s == "PASS" {
		return escapeURL(s)
	}
	if user, _, ok := strings.Cut(s, ":"); ok {
		return escapeURL(user) + ":" + Masked
	}
	return Masked
}

// Dump writes the effective configuration as squid.conf text: every directive that
// has a value, in an order in which each finds what it refers to. Reading the text
// gives the same Config (places and comments apart) when secrets are shown and the
// list files it names are unchanged.
func (c *Config) Dump(secrets bool) []byte {
	d := &dumper{secrets: secrets}
	for _, e := range dumpOrder() {
		if e.Build == "" || c.MulticastMiss.Wanted() {
			e.kind.dump(c, d, e.Name)
		}
	}
	return d.out.Bytes()
}

// dumpFirst are the directives others refer to; the rest follow in the table's order.
var dumpFirst = []string{"extension_methods", "auth_param", "external_acl_type", "acl", "logformat", "cache_peer",
	"cache_dir", "delay_pools", "delay_class", "wccp2_service"}

func dumpOrder() []*Directive {
	var list []*Directive
	done := map[string]bool{}
	for _, name := range dumpFirst {
		list = append(list, Lookup(name))
		done[name] = true
	}
	for i := range table {
		if !done[table[i].Name] && table[i].kind.dump != nil && (table[i].Build == "" || table[i].Effect == Acts) {
			list = append(list, &table[i])
		}
	}
	return list
}
