package conf

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// inertCases are lines, and what of them has no effect; ! marks what ends a start.
var inertCases = []struct{ lines, want string }{
	{"cache_peer p parent 80 0 no-query proxy-only no-digest", ""},
	{"cache_peer p parent 80 3130", ""},
	{"cache_peer p parent 80 7 no-query", ""},
	{"cache_peer p parent 80 4827 HTCP monitorURL=/x", ""},
	{"cache_peer p multicast 80 0 ttl=3", ""},
	{"cache_peer p parent 443 0 ssl sslcafile=/c", "3:27 cache_peer ssl!,3:31 cache_peer sslcafile="},
	{"cache_peer p parent 443 0 name=ssl", ""},
	{"cache_peer p parent 443 0 ssl\naccept_without_effect cache_peer:ssl", "3:27 cache_peer ssl"},
	{"accept_without_effect cache_peer:ssl\ncache_peer p parent 443 0 ssl\ncache_peer q parent 443 0 ssl", "4:27 cache_peer ssl"},
	{"refresh_pattern . 0 20% 4320", ""},
	{"refresh_pattern . 0 20% 4320 ignore-reload stale-while-revalidate=3", "3:30 refresh_pattern ignore-reload,3:44 refresh_pattern stale-while-revalidate="},
	{"acl m proto HTTP cache_object\nhttp_access deny m", "3:18 acl proto cache_object"},
	{"icp_port 0\nhtcp_port 0\nsnmp_port 0\ncache_store_log none\ncache_dir null /tmp", ""},
	{"icp_port 3130\nsnmp_port 3401", "4:1 snmp_port"},
	{"memory_pools on", "3:1 memory_pools"},
	{"via on", ""},
	{"url_rewrite_program /bin/x\nredirector_bypass off\nlocation_rewrite_program /bin/x\nstoreurl_rewrite_program /bin/x", ""},
}

// TestInert: what a file asks for in vain is named once, at its first place, and the
// closed list of what would do harm ends a start; a verdict it never changes.
func TestInert(t *testing.T) {
	for _, c := range inertCases {
		_, report := loadText(t, head+c.lines+"\nhttp_access deny all\n")
		if !report.Accepted() {
			t.Errorf("%q: refused: %v", c.lines, report.Lines)
		}
		var got []string
		harms := 0
		for _, in := range report.Inert {
			mark := ""
			if in.Harm != "" {
				mark = "!"
				harms++
			}
			got = append(got, fmt.Sprintf("%d:%d %s%s", in.Pos.Line, in.Pos.Col, in.Name(), mark))
		}
		if s := strings.Join(got, ","); s != c.want {
			t.Errorf("%q: %s, want %s", c.lines, s, c.want)
		}
		if list := report.Harmful(); len(list) != harms {
			t.Errorf("%q: a start is refused for %q", c.lines, list)
		}
	}
}

// TestHarmIsAClosedList: what ends a start is this and nothing else, and each says
// in a sentence's end what would happen.
func TestHarmIsAClosedList(t *testing.T) {
	if got, want := strings.Join(harmKeys(), " "), "cache_peer:ssl cache_dir:coss"; got != want {
		t.Errorf("a start is refused for %s; the list is %s", got, want)
	}
}

// TestInertOptionsAreOptions: each option of the table is a word its directive takes.
func TestInertOptionsAreOptions(t *testing.T) {
	known := slices.Concat(peerOptionNames(), []string{"ssl", "sslversion=", "multicast", "icp-port", "proto cache_object", "coss", "Q1=", "Q2=", "cert=", "without transparent", "ignore-stale-while-revalidate"})
	for _, o := range peerTLS {
		known = append(known, o.name+"=")
	}
	for _, f := range refreshFlags {
		known = append(known, f.name)
	}
	for _, f := range refreshTimes {
		known = append(known, f.name+"=")
	}
	for _, d := range Directives() {
		for _, o := range d.Options {
			if !slices.Contains(known, o.Name) {
				t.Errorf("%s has no option %s", d.Name, o.Name)
			}
			if d.Effect != Acts || o.Effect == Acts {
				t.Errorf("%s %s: only what has no effect is listed, of directives that have one", d.Name, o.Name)
			}
		}
	}
}
