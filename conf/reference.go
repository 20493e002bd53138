package conf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// section is a chapter of the reference documentation.
type section struct {
	title string
	rows  []Directive
}

// sections are the chapters, in reading order; together they are the table.
func sections() []section {
	return []section{
		{"Who may do what", accessRows}, {"Ports and addresses", portRows}, {"TLS", sslRows}, {"Neighbours", peerRows},
		{"Cache digests", digestRows}, {"The cache", storeRows}, {"Freshness", refreshRows}, {"Logs", logRows},
		{"Programs and FTP", helperRows}, {"Headers and methods", headerRows}, {"Time limits", timeoutRows},
		{"Administration", adminRows}, {"Delay pools", delayRows}, {"WCCP", wccpRows}, {"SNMP", snmpRows},
		{"Error pages", errorRows}, {"Names", dnsRows}, {"Tuning", tuningRows}, {"Beyond 2.6", extensionRows}, {"From 2.7", squid27Rows},
	}
}

// facts are the lines about a directive that are not prose: grammar, default, old names, history.
func (d *Directive) facts() [][2]string {
	list := [][2]string{{"Value", d.kind.name}}
	add := func(name, text string) {
		if text != "" {
			list = append(list, [2]string{name, text})
		}
	}
	switch {
	case d.Default != "":
		add("Default", expandPaths(d.Default, DefaultPaths()))
	case d.IfNone != "":
		add("Default", expandPaths(d.IfNone, DefaultPaths()))
	default:
		add("Default", "none")
	}
	add("Old names", strings.Join(d.Aliases, ", "))
	if d.Since != "" {
		add("Since", "2.6."+d.Since)
	}
	add("Not in 2.6", d.Extension)
	switch {
	case d.Build != "" && d.Effect == Acts:
		add("Counted as unknown", "2.6 knows it only when built with a "+d.Build+"; it acts all the same")
	case d.Build != "":
		add("Unknown here", "it belongs to a feature that is left out ("+d.Build+")")
	}
	if d.Effect != Acts {
		add("Effect", effectWords[d.Effect])
	}
	add("Without effect", strings.Join(d.inert(Pending), " "))
	return list
}

// beginning is the live part of squid.conf.documented.
const beginning = `acl all src 0.0.0.0/0.0.0.0
acl manager proto cache_object
acl localhost src 127.0.0.1/255.255.255.255
acl to_localhost dst 127.0.0.0/8
acl SSL_ports port 443
acl Safe_ports port 80 21 443 70 210 1025-65535 280 488 591 777
acl CONNECT method CONNECT
http_access allow manager localhost
http_access deny manager
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
# Your own networks come here:
# acl our_networks src 192.168.1.0/24
# http_access allow our_networks
http_access allow localhost
http_access deny all
icp_access deny all
http_port 3128
hierarchy_stoplist cgi-bin ?
acl QUERY urlpath_regex cgi-bin \?
cache deny QUERY
refresh_pattern ^ftp: 1440 20% 10080
refresh_pattern ^gopher: 1440 0% 1440
refresh_pattern . 0 20% 4320
`

// WriteDocumented writes squid.conf.documented: every directive with its help,
// as comments, and a configuration to begin with.
func WriteDocumented(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# squid.conf: every directive there is.\n#\n# This file is made from the program's own table of directives. A line that begins with # is a comment;\n"+
		"# a comment cannot follow a directive on its line. The configuration to begin with is at the end.\n")
	for _, s := range sections() {
		fmt.Fprintf(out, "#\n# %s\n# %s\n# %s\n", strings.Repeat("=", 76), s.title, strings.Repeat("=", 76))
		for i := range s.rows {
			d := &s.rows[i]
			fmt.Fprintf(out, "#\n#  %s\n", d.Name)
			for _, f := range d.facts() {
				fmt.Fprintf(out, "#      %s: %s\n", f[0], f[1])
			}
			for _, line := range wrap(d.Help, 90) {
				fmt.Fprintf(out, "#      %s\n", line)
			}
			for _, line := range exampleLines(d) {
				fmt.Fprintf(out, "#          %s\n", line)
			}
		}
	}
	fmt.Fprintf(out, "\n# A configuration to begin with.\n%s", beginning)
	return out.Flush()
}

// WriteManual writes the manual page squid.conf(5).
func WriteManual(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, ".TH squid.conf 5\n.SH NAME\nsquid.conf \\- configuration of the squid proxy\n.SH DESCRIPTION\n"+
		"Each line is a directive: its name, then its value, separated by blanks. Lines that begin with # are comments. "+
		"A backslash at the end joins the next line. Names are exact; a directive nobody knows is reported and skipped, a bad value ends the start.\n.PP\n"+
		"on|off: on and enable turn on, every other word turns off. time: a number and a unit of its own word, second to decade. "+
		"size: a number and bytes, KB, MB or GB; none is no limit. Patterns are POSIX extended regular expressions.\n.PP\n"+
		"squid \\-k parse checks a file, squid \\-k parse \\-v explains it.\n")
	for _, s := range sections() {
		fmt.Fprintf(out, ".SH %s\n", strings.ToUpper(roff(s.title)))
		for i := range s.rows {
			d := &s.rows[i]
			fmt.Fprintf(out, ".TP\n.B %s\n", roff(d.Name))
			for _, f := range d.facts() {
				fmt.Fprintf(out, "%s: %s\n.br\n", roff(f[0]), roff(f[1]))
			}
			fmt.Fprintf(out, "%s\n", roff(d.Help))
			if lines := exampleLines(d); lines != nil {
				fmt.Fprint(out, ".nf\n")
				for _, line := range lines {
					fmt.Fprintf(out, "    %s\n", roff(line))
				}
				fmt.Fprint(out, ".fi\n")
			}
		}
	}
	fmt.Fprint(out, ".SH SEE ALSO\nsquid(8)\n")
	return out.Flush()
}

func exampleLines(d *Directive) []string {
	if d.Example == "" {
		return nil
	}
	return strings.Split(d.Example, "\n")
}

// roff escapes text for a manual page.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// wrap breaks text into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len(line)+1+len(w) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}
