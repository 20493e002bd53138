package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// oursBlind is ours without a look at what is passed on.
const oursBlind = "cuttle, blind"

// tlsContenders are those that pass intercepted TLS on: by the name asked for, which is
// held against a rule and logged, or blindly. They are to take that many connections at most.
func tlsContenders(bin, against string, with []string, most int) []contender {
	list := ours("cuttle", bin)
	if against != "" {
		list = append(list, ours("against", against)...)
	}
	blind := list[0]
	blind.name = oursBlind
	for i := range list {
		list[i].conf = squidTLSConf
	}
	blind.conf = squidBlindConf
	list = append(list, blind)
	path, err := exec.LookPath("haproxy")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/haproxy")
	}
	if err == nil && slices.Contains(with, "haproxy") {
		args := func(c string) []string { return []string{"-f", c, "-db"} }
		list = append(list,
			contender{name: "haproxy", bin: path, conf: haproxyTLSConf(most), args: args},
			contender{name: "haproxy, blind", bin: path, conf: haproxyBlindConf(most), args: args})
	}
	return list
}

// startIntercepting starts a contender and hands it what a client address of its own
// says to port 443.
func (c contender) startIntercepting(number int) (r *running, from string, err error) {
	if r, err = c.start(nil, noCache); err != nil {
		return nil, "", err
	}
	from = clientAddress(number)
	return r, from, intercept(from, r.listen)
}

const refusedRule = "refused.example"

func squidTLSConf(dir string, p ports) string {
	text := fmt.Sprintf(strings.Replace(squidCommon, "http_port 127.0.0.1:%d", "https_port 127.0.0.1:%d transparent", 1), p.listen, dir)
	return squidIntercepting(dir, text)
}

func squidBlindConf(dir string, p ports) string {
	text := fmt.Sprintf(strings.Replace(squidCommon, "http_port 127.0.0.1:%d", "http_port 127.0.0.1:%d transparent", 1), p.listen, dir)
	return squidIntercepting(dir, text+"intercept_unknown_protocol tunnel\n")
}

// squidIntercepting adds what both need: names are verified by a hosts file.
func squidIntercepting(dir, text string) string {
	hosts := filepath.Join(dir, "hosts")
	var lines strings.Builder
	for i := range sites {
		fmt.Fprintf(&lines, "%s %s\n", siteAddress(i), siteName(i))
	}
	os.WriteFile(hosts, []byte(lines.String()), 0o644)
	return strings.Replace(text, "hosts_file none", "hosts_file "+hosts, 1) + "icp_port 0\ncache_dir null " + dir +
		"\nacl all src 0.0.0.0/0.0.0.0\nacl refused dstdomain " + refusedRule + "\nhttp_access deny refused\nhttp_access allow all\n"
}

// The server of both is where the client wanted to go, which haproxy asks connection
// tracking for as we do: that is what it takes an address of zeros for.
const haproxyTLSCommon = `global
  maxconn %[4]d
  user nobody
  group nogroup
  log %[1]s/log.sock local0
defaults
  log global
  mode tcp
  option tcplog
  option splice-auto
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend f
  bind 127.0.0.1:%[2]d
%[3]s  default_backend b
backend b
  server s 0.0.0.0:443
`

func haproxyTLSConf(most int) func(string, ports) string {
	return haproxyIntercepting(most, `  tcp-request inspect-delay 5s
  tcp-request content capture req.ssl_sni len 100
  tcp-request content reject if { req.ssl_sni -i `+refusedRule+` }
  tcp-request content accept if { req.ssl_hello_type 1 }
  log-format "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %[capture.req.hdr(0)]"
`)
}

func haproxyBlindConf(most int) func(string, ports) string { return haproxyIntercepting(most, "") }

// spareConnections are for those that end while others begin.
const spareConnections = 200

func haproxyIntercepting(most int, rules string) func(string, ports) string {
	return func(dir string, p ports) string {
		return fmt.Sprintf(haproxyTLSCommon, dir, p.listen, rules, most+spareConnections)
	}
}
