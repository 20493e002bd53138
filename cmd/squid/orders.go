package main

import (
	"strings"
	"syscall"
)

// order is one word of -k.
type order struct {
	word string
	help string
	run  func(*invocation) int
	// more says that -v beside this order asks for more words instead of the version.
	more bool
}

// orders lists the words of -k. 2.6's come first and in its order, because a
// word may be shortened and the first that fits wins (-k r is reconfigure).
func orders() []order {
	return []order{
		{word: "reconfigure", help: "check the configuration, then make the running copy read it again", run: reconfigureOrder},
		{word: "rotate", help: "make the running copy rotate its logs", run: signalOrder(syscall.SIGUSR1)},
		{word: "debug", help: "switch the running copy's full debugging on or off", run: signalOrder(syscall.SIGUSR2)},
		{word: "shutdown", help: "end the running copy after its transfers (shutdown_lifetime)", run: signalOrder(syscall.SIGTERM)},
		{word: "interrupt", help: "end the running copy at once", run: signalOrder(syscall.SIGINT)},
		{word: "kill", help: "end the running copy without any farewell", run: signalOrder(syscall.SIGKILL)},
		{word: "check", help: "say by the exit status whether a copy is running", run: signalOrder(0)},
		{word: "parse", help: "check the configuration and end; with -v explain it", run: parseOrder, more: true},
		{word: "check-config", help: "check the configuration and what it needs of this machine, without starting (--json)", run: checkConfigOrder},
		{word: "dump", help: "print the configuration in effect as squid.conf text (--secrets)", run: dumpOrder},
		{word: "documented", help: "print squid.conf.documented: every directive explained", run: documentedOrder},
		{word: "manual", help: "print the man page squid.conf(5)", run: manualOrder},
		{word: "wccp", help: "show the running copy's WCCP routers, services and buckets (--json)", run: questionOrder("wccp")},
		{word: "helpers", help: "show the running copy's helper programs, their processes and what these were asked (--json)", run: questionOrder("helpers")},
		{word: "network", help: "show the running copy's connection, GRE and tunnel counters (--json)", run: questionOrder("network")},
		{word: "store", help: "show the running copy's cache: objects, memory, hits, disks and their queues (--json)", run: questionOrder("store")},
		{word: "peers", help: "show the running copy's peers with state, round trips and counters (--json)", run: questionOrder("peers")},
		{word: "delay", help: "show the running copy's delay pools with the level of each bucket (--json)", run: questionOrder("delay")},
		{word: "setup", help: "make this host ready to intercept (--dry-run, --iptables: print the commands)", run: setupOrder},
		{word: "preflight", help: "tell what interception lacks on this host, why, and what mends it (--json)", run: preflightOrder},
		{word: "teardown", help: "undo what setup did (--dry-run: print the commands)", run: teardownOrder},
	}
}

// findOrder finds the order a word means: the exact word, else the first that
// begins with it.
func findOrder(word string) (order, bool) {
	if word == "" {
		return order{}, false
	}
	all := orders()
	for _, o := range all {
		if o.word == word {
			return o, true
		}
	}
	for _, o := range all {
		if strings.HasPrefix(o.word, word) {
			return o, true
		}
	}
	return order{}, false
}

func speaksMore(word string) bool {
	o, ok := findOrder(word)
	return ok && o.more
}
