package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
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

// errNoPidFile says that pid_filename is "none".
var errNoPidFile = errors.New("no pid file name defined")

// readPid gives the process id in a pid file, 0 when the file is absent or
// holds none. As in 2.6 only its beginning counts.
func readPid(path string) (int, error) {
	if path == "" || path == "none" {
		return 0, errNoPidFile
	}
	text, err := privsep.PidText(path)
	if err != nil {
		return 0, nil
	}
	return max(leadingNumber(text), 0), nil
}

// runningCopy gives the process id of a running copy, 0 for none. A pid file
// that holds our own id is left over from before a restart in which numbers
// repeat, as they do in containers.
func runningCopy(pidFile string) int {
	pid, err := readPid(pidFile)
	if err != nil || pid < 2 || pid == os.Getpid() {
		return 0
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return 0
	}
	return pid
}

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
