package host

import (
	"context"
	"net/netip"
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
// PREROUTING chains and of the chains these jump to.
func parseSaved(text, program string, family int) []intercept {
	chains := map[string][][]string{} // the words of rules, by "TABLE CHAIN"
	table := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, is := strings.CutPrefix(line, "*"); is {
			table = name
		} else if rest, is := strings.CutPrefix(line, "-A "); is {
			chain, rule, _ := strings.Cut(rest, " ")
			chains[table+" "+chain] = append(chains[table+" "+chain], strings.Fields(rule))
		}
	}
	var found []intercept
	steps := 0
	var walk func(table, chain string, asked intercept, depth int)
	walk = func(table, chain string, asked intercept, depth int) {
		for _, words := range chains[table+" "+chain] {
			if steps++; steps > maxSteps {
				return
			}
			i := intercept{where: asked.where}
			i.fromWords(words)
			i.add(asked)
			if i.role != "" {
				found = append(found, i)
			} else if target := target(words); depth < maxJumps {
				walk(table, target, i, depth+1)
			}
		}
	}
	for _, t := range []struct {
		name   string
		weight int
	}{{"raw", -300}, {"mangle", -150}, {"nat", -100}} {
		where := strings.TrimSuffix(program, "-save") + " " + t.name + " PREROUTING"
		walk(t.name, "PREROUTING", intercept{where: where, family: family, weight: t.weight}, 0)
	}
	return found
}

// target is what a rule goes to: a chain, or something that is none.
func target(words []string) string {
	for n := 0; n+1 < len(words); n++ {
		if words[n] == "-j" || words[n] == "-g" {
			return words[n+1]
		}
	}
	return ""
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
			case "REDIRECT", "DNAT":
				i.role = roleRedirect
			}
		case "-p":
			if n == 0 || words[n-1] != "!" {
				i.proto = map[string]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "sctp": unix.IPPROTO_SCTP}[value]
			}
		case "--to-destination":
			if to, err := netip.ParseAddrPort(value); err == nil {
				i.addr, i.to = to.Addr(), to.Port()
			} else if addr, err := netip.ParseAddr(value); err == nil {
				i.addr = addr
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
