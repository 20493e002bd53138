package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
)

// signalOrder makes an order of -k that sends the running copy a signal. As in
// 2.6 the configuration is read first, since it names the pid file, and a
// configuration that is refused ends the order.
func signalOrder(sig syscall.Signal) func(*invocation) int {
	return func(inv *invocation) int {
		cfg, status := inv.skim()
		if cfg == nil {
			return status
		}
		return inv.signalCopy(cfg, sig)
	}
}

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
	if err != nil || pid < 2 || pid > highestPid || pid == os.Getpid() {
		return 0
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return 0
	}
	return pid
}

// highestPid is the largest process id of Linux. What is larger would, as the
// kernel's narrower number, be another process, or all of them.
const highestPid = 1 << 22

// signalCopy sends the copy that the pid file names a signal. The file may be of the
// effective user's making: as root only a process is signalled that shows itself as
// a copy of ours, any other one as the effective user, who can harm nobody else's.
// That is how 2.6 does it, and how another program's copy (2.6's own) is reached.
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
	ours := showsItself(pid)
	if !ours && sig != 0 {
		id, err := privsep.LookUp(cfg)
		if err == nil && id.Change {
			err = privsep.BecomeUser(id, nil)
		}
		if err != nil {
			fmt.Fprintln(inv.stderr, "squid: ERROR:", err)
			return exitBad
		}
	}
	if ours && sig == syscall.SIGKILL {
		if supervisor := supervisorOf(pid); supervisor != 0 {
			syscall.Kill(supervisor, lastWorker)
		}
	}
	err = syscall.ESRCH
	if pid <= highestPid {
		err = syscall.Kill(pid, sig)
	}
	if err != nil && !(sig == 0 && err == syscall.EPERM) {
		number, _ := err.(syscall.Errno)
		fmt.Fprintf(inv.stderr, "squid: ERROR: Could not send signal %d to process %d: (%d) %v\n", int(sig), pid, int(number), report.ErrnoText(number))
		return exitBad
	}
	return exitGood
}

// showsItself reports whether a process listens for questions as our copies do, and
// is called what they are; the kernel vouches for who listens. One that is stuck
// shows itself all the same.
func showsItself(pid int) bool {
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && strings.TrimSpace(string(name)) != processName {
		return false // the listener's child may outlive it, and its number be another's
	}
	c, err := dialCopy(pid)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// supervisorOf is the process that looks after a worker, 0 for none.
func supervisorOf(worker int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", worker))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "\nPPid:\t")
	parent := leadingNumber(rest)
	theirs, err1 := os.Stat(fmt.Sprintf("/proc/%d/exe", parent))
	its, err2 := os.Stat(fmt.Sprintf("/proc/%d/exe", worker))
	if parent < 2 || err1 != nil || err2 != nil || !os.SameFile(theirs, its) {
		return 0
	}
	return parent
}
