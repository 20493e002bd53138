package main

import (
	"fmt"
	"io"

	"github.com/cuttle-proxy/cuttle/conf"
)

// dumpOrder is -k dump: the configuration in effect, defaults included, as
// squid.conf text that reads back to the same. Secrets are masked unless
// --secrets asks for them.
func dumpOrder(inv *invocation) int {
	cfg, status := inv.load()
	if cfg == nil {
		return status
	}
	if _, err := inv.stdout.Write(cfg.Dump(inv.asked("secrets"))); err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
		return exitBad
	}
	return exitGood
}

// printOrder makes an order that prints a document made from the table of directives.
func printOrder(write func(io.Writer) error) func(*invocation) int {
	return func(inv *invocation) int { return inv.outcome(write(inv.stdout)) }
}

var (
	documentedOrder = printOrder(conf.WriteDocumented)
	manualOrder     = printOrder(conf.WriteManual)
)
