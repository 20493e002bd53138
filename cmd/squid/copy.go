package main

import (
	"fmt"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
)

// signalOrder makes an order of -k that sends the running copy a signal. As in
// 2.6 the configuration is read first, since it names the pid file, and a
// configuration that is refused ends the order.
func signalOrder(sig syscall.Signal) func(*invocation) int {
	return func(inv *invocation) int {
		cfg, status := inv.load()
		if cfg == nil {
			return status
		}
		return inv.signalCopy(cfg, sig)
	}
}

// reconfigureOrder refuses a configuration the running copy would refuse,
// before it bothers the copy with it.
func reconfigureOrder(inv *invocation) int { return signalOrder(syscall.SIGHUP)(inv) }

func (inv *invocation) signalCopy(cfg *conf.Config, sig syscall.Signal) int {
	pid, err := readPid(cfg.PidFilename)
	if err != nil {
		fmt.Fprintln(inv.stderr, "squid: ERROR: No pid file name defined")
		return exitBad
	}
	if pid < 2 {
		fmt.Fprintln(inv.stderr, "squid: ERROR: No running copy")
		return exitBad
	}
	if err := syscall.Kill(pid, sig); err != nil && !(sig == 0 && err == syscall.EPERM) {
		number, _ := err.(syscall.Errno)
		fmt.Fprintf(inv.stderr, "squid: ERROR: Could not send signal %d to process %d: (%d) %v\n", int(sig), pid, int(number), errnoText(number))
		return exitBad
	}
	return exitGood
}
