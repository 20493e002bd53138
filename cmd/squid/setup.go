package main

import (
	"fmt"
	"slices"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// setupOrder is -k setup: it makes the host ready for the interception the
// configuration asks for, or with --dry-run prints the commands that would.
func setupOrder(inv *invocation) int {
	cfg, status := inv.load()
	if cfg == nil {
		return status
	}
	want := intercept.Want(cfg)
	if !want.Intercepts() {
		fmt.Fprintln(inv.stdout, "setup: no http_port intercepts (transparent or tproxy): nothing to do")
		return exitGood
	}
	if inv.asked("dry-run") {
		return inv.outcome(host.Script(want, host.Options{Iptables: inv.asked("iptables")}, inv.stdout))
	}
	return inv.outcome(host.Setup(want, host.Options{Report: inv.stdout}))
}

// teardownOrder is -k teardown: it undoes what -k setup did, whatever the
// configuration says by now.
func teardownOrder(inv *invocation) int {
	if inv.asked("dry-run") {
		return inv.outcome(host.UndoScript(host.Options{}, inv.stdout))
	}
	return inv.outcome(host.Teardown(host.Options{Report: inv.stdout}))
}

// asked reports whether one of our own --words stood on the command line.
func (inv *invocation) asked(word string) bool { return slices.Contains(inv.flags.long, word) }

func (inv *invocation) outcome(err error) int {
	if err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
		return exitBad
	}
	return exitGood
}
