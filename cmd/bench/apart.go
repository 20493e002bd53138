package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// apartWord is the first argument of a bench that runs in a namespace of its own, inside
// says that this is one.
const apartWord = "apart"

var inside bool

// apart runs one measurement in a network namespace of its own, which goes with it.
func (c *choices) apart(what string) error {
	if os.Geteuid() != 0 {
		return errors.New("needs root for a network namespace")
	}
	var args []string
	for i := 1; i < len(os.Args); i++ { // the choices made, but for which measurements
		switch name, _, joined := strings.Cut(strings.TrimLeft(os.Args[i], "-"), "="); {
		case name != "only":
			args = append(args, os.Args[i])
		case !joined:
			i++
		}
	}
	cmd := exec.Command("/proc/self/exe", append([]string{apartWord, "-only", what}, args...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGTERM}
	return cmd.Run()
}

// The network there: every address of both nets is this host's, though none of them is
// an interface's. Sites are where clients want to go; each contender has a client
// address, from which it gets all connections.
const (
	siteNet, clientNet = "192.0.2.0/24", "198.51.100.0/24"
	sites              = 64
)

func siteAddress(i int) string   { return fmt.Sprintf("192.0.2.%d", 1+i%sites) }
func siteName(i int) string      { return fmt.Sprintf("site%d.example", i%sites) }
func clientAddress(i int) string { return fmt.Sprintf("198.51.100.%d", 1+i) }

func prepareNetwork() error {
	err := shell("nft add table ip bench", "nft 'add chain ip bench out { type nat hook output priority -100; }'")
	if err != nil && shell("iptables-legacy -t nat -S") != nil {
		return err
	}
	oldTables = err != nil
	return shell(
		"ip link set lo up", "ip route add local "+siteNet+" dev lo", "ip route add local "+clientNet+" dev lo",
		"sysctl -qw net.ipv4.ip_local_port_range='1024 65535'",
		// A connection has two entries in the kernel's table of them, for another two
		// minutes by default. The table would be full after some 130,000: then beginnings
		// of connections are dropped, and who waits for one waits for seconds.
		"for state in time_wait close last_ack fin_wait; do sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_$state="+
			strconv.Itoa(trackedAfterEnd)+"; done")
}

// oldTables says that the kernel has no nftables for IPv4, as User Mode Linux has not.
var oldTables bool

// trackedAfterEnd is for how many seconds the kernel remembers a connection that ended.
const trackedAfterEnd = 1

// untracked is how many packets there were no room for in the kernel's table of
// connections, and which it dropped.
func untracked() uint64 {
	text, _ := os.ReadFile("/proc/net/stat/nf_conntrack") // of this process's namespace
	return countUntracked(string(text))
}

func countUntracked(text string) (n uint64) {
	head, rows, _ := strings.Cut(text, "\n")
	column := slices.Index(strings.Fields(head), "drop")
	for row := range strings.Lines(rows) { // one for each processor
		if fields := strings.Fields(row); column >= 0 && column < len(fields) {
			m, _ := strconv.ParseUint(fields[column], 16, 64)
			n += m
		}
	}
	return n
}

// intercept hands what a client address says to port 443 to a contender.
func intercept(client string, port int) error {
	if oldTables {
		return shell(fmt.Sprintf("iptables-legacy -t nat -A OUTPUT -p tcp -s %s --dport 443 -j REDIRECT --to-ports %d", client, port))
	}
	return shell(fmt.Sprintf("nft add rule ip bench out ip saddr %s tcp dport 443 redirect to :%d", client, port))
}

func shell(commands ...string) error {
	out, err := exec.Command("sh", "-c", "set -e\n"+strings.Join(commands, "\n")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// dialSite connects as a client to a site.
func dialSite(client string, site int) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	return d.Dial("tcp4", siteAddress(site)+":443")
}
