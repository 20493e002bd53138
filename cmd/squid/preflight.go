package main

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// preflightOrder is -k preflight: one line for each fact interception depends
// on. The exit status is the worst of them: 0 ok, 1 warn, 2 fail.
func preflightOrder(inv *invocation) int {
	cfg, status := inv.load()
	if cfg == nil {
		return status
	}
	i := intercept.Inspection(cfg)
	i.Running = runningCopy(cfg.PidFilename) != 0
	findings := host.Preflight(i)
	write := host.WriteText
	if inv.asked("json") {
		write = host.WriteJSON
	}
	if err := write(inv.stdout, findings); err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
		return int(host.Fail)
	}
	return int(host.Worst(findings))
}
