package host

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// legacyIntercepts reads the rules of the old tables, which nftables cannot see,
// by the program that made them, where it is installed and was used: asking it
// about a table that was never used would load that table's module.
func legacyIntercepts() []intercept {
	var found []intercept
	for _, t := range []struct {
		program, names string
		family         int
	}{
		{"iptables-legacy-save", "/proc/self/net/ip_tables_names", unix.AF_INET},
		{"ip6tables-legacy-save", "/proc/self/net/ip6_tables_names", unix.AF_INET6},
	} {
		names := strings.Replace(t.names, "self", "thread-self", 1)
		if used, err := os.ReadFile(names); err != nil || len(used) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		out, err := exec.CommandContext(ctx, t.program).Output()
		cancel()
		if err == nil {
			found = append(found, parseSaved(string(out), t.program, t.family)...)
		}
	}
	return found
}

// parseSaved reads the output of iptables-save: tables, and the rules of their
// PREROUTING chains.
func parseSaved(text, program string, family int) []intercept {
	weights := map[string]int{"raw": -300, "mangle": -150, "nat": -100}
	var found []intercept
	table := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, is := strings.CutPrefix(line, "*"); is {
			table = name
			continue
		}
		rest, is := strings.CutPrefix(line, "-A PREROUTING ")
		weight, known := weights[table]
		if !is || !known {
			continue
		}
		i := intercept{where: strings.TrimSuffix(program, "-save") + " " + table + " PREROUTING", family: family, weight: weight}
		i.fromWords(strings.Fields(rest))
		if i.role != "" {
			found = append(found, i)
		}
	}
	return found
}

func (i *intercept) fromWords(words []string) {
	for n := 0; n+1 < len(words); n++ {
		value := words[n+1]
		switch words[n] {
		case "-m":
			if value == "socket" {
				i.role = roleDivert
			}
		case "-j":
			switch value {
			case "TPROXY":
				i.role = roleTProxy
			case "REDIRECT":
				i.role = roleRedirect
			}
		case "-i":
			if n == 0 || words[n-1] != "!" {
				i.iface = value
			}
		case "--dport":
			if n == 0 || words[n-1] != "!" { // else all but that one, which is taken for any
				i.of = savedPort(value)
			}
		case "--on-port", "--to-ports":
			i.to = savedPort(value)
		}
	}
}

func savedPort(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0 // a range: taken for any
	}
	return uint16(n)
}
