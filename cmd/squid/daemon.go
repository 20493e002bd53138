package main

import (
	"fmt"
	"io"
	"log/syslog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// The roles of a re-executed copy of this binary, told by roleVariable.
const (
	roleMonitor    = "monitor"    // stays root, see privsep
	roleSpawner    = "spawner"    // starts helper programs, see privsep
	roleSupervisor = "supervisor" // the detached parent of a daemon
	roleWorker     = "worker"     // the daemon that serves
	roleProbe      = "probe"      // tries files as cache_effective_user, see probe.go
)

// formerMonitor is another word for roleMonitor: operators' scripts that try what a
// taken-over worker could have done play the worker to a process they start in this role.
const formerMonitor = "keeper"

// roleVariable is the environment variable that names the role.
const roleVariable = "CUTTLE_ROLE"

// reexec prepares running this binary again with the same arguments in a role.
func reexec(inv *invocation, role, name string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{name}, os.Args[1:]...)
	if !slices.Equal(cmd.Args[max(0, len(cmd.Args)-2):], []string{"-f", inv.flags.confFile}) {
		cmd.Args = append(cmd.Args, "-f", inv.flags.confFile) // the last -f counts, and this one is absolute
	}
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

// readyDescriptor is where a worker says that it serves.
const readyDescriptor = 3

// daemonise starts the proxy in the background. A Go program cannot fork, so the
// binary runs itself again, twice: a supervisor in a session of its own, and
// under it the worker that serves. This process waits until the worker serves
// or has failed, so that its exit status means something to the init script.
func daemonise(inv *invocation) int {
	if inv.flags.foreground {
		return supervise(inv, nil)
	}
	ready, tell, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	cmd := reexec(inv, roleSupervisor, "squid")
	cmd.ExtraFiles = []*os.File{tell}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	tell.Close()
	if err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	if n, _ := ready.Read(make([]byte, 1)); n == 1 {
		return exitGood
	}
	cmd.Wait()
	return max(cmd.ProcessState.ExitCode(), exitBad)
}

// Limits of restarting, those of 2.6: a worker that fails this often, each time
// within this span of its start, is given up.
const (
	maxFailures  = 5
	failureSpan  = 10 * time.Second
	restartPause = 3 * time.Second
)

// supervise keeps a worker running: one that dies is started again, unless it
// ended on request, never came to serve, or dies at once again and again. tell is
// where the end of a successful start is told, nil for nobody.
func supervise(inv *invocation, tell *os.File) int {
	tuneWaiting()
	note := parentNotes()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, lastWorker)
	served := false
	for failures := 0; ; {
		began := time.Now()
		w, err := startWorker(inv)
		if err != nil {
			fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
			return exitFatal
		}
		note("child process %d started", w.cmd.Process.Pid)
		asked := w.await(signals, func() {
			if !served && tell != nil {
				io.WriteString(tell, "1")
				tell.Close()
				redirectStreams(nil)
			}
			served = true
		})
		status := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Exited() {
			note("child process %d exited with status %d", w.cmd.Process.Pid, status.ExitStatus())
		} else {
			note("child process %d exited due to signal %d", w.cmd.Process.Pid, status.Signal())
		}
		if failures++; time.Since(began) >= failureSpan {
			failures = 1
		}
		switch {
		case !served, asked, status.Exited() && status.ExitStatus() == 0:
			return max(status.ExitStatus(), exitGood)
		case status.Signaled() && endsSupervision(status.Signal()):
			return exitGood
		case failures == maxFailures:
			note("Exiting due to repeated, frequent failures")
			return exitBad
		}
		if pauseUnlessAsked(signals) {
			return exitGood
		}
	}
}

// parentNotes writes the supervisor's lines to syslog, where 2.6's parent does.
func parentNotes() func(format string, args ...any) {
	sys, err := syslog.New(syslog.LOG_LOCAL4|syslog.LOG_NOTICE, "squid")
	return func(format string, args ...any) {
		if err == nil {
			sys.Notice(fmt.Sprintf("Squid Parent: "+format, args...))
		}
	}
}

// worker is a serving child and the pipe on which it says that it serves.
type worker struct {
	cmd   *exec.Cmd
	ready *os.File
}

func startWorker(inv *invocation) (*worker, error) {
	ready, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer tell.Close()
	w := &worker{cmd: reexec(inv, roleWorker, "(squid)"), ready: ready}
	w.cmd.ExtraFiles = []*os.File{tell}
	if err := w.cmd.Start(); err != nil {
		ready.Close()
		return nil, err
	}
	return w, nil
}

// await passes signals on until the worker ends; true when one of them asked it
// to. serves is called when it begins to serve.
func (w *worker) await(signals <-chan os.Signal, serves func()) (asked bool) {
	ended, ready := make(chan struct{}), make(chan bool, 1)
	go func() { w.cmd.Wait(); close(ended) }()
	go func() {
		n, _ := w.ready.Read(make([]byte, 1))
		w.ready.Close()
		ready <- n == 1
	}()
	for {
		select {
		case ok := <-ready:
			if ok {
				serves()
			}
		case <-ended:
			return asked
		case sig := <-signals:
			asked = asked || asksToEnd(sig)
			if sig != lastWorker {
				w.cmd.Process.Signal(sig)
			}
		}
	}
}

// lastWorker tells the supervisor that its worker is about to be killed on request
// (-k kill) and not to be followed by another. 2.6's parent ends with any child that
// was killed; but the kernel, out of memory, kills too, and then service has to go on.
const lastWorker = syscall.SIGALRM

func asksToEnd(sig os.Signal) bool {
	return sig == syscall.SIGTERM || sig == syscall.SIGINT || sig == lastWorker
}

func endsSupervision(sig syscall.Signal) bool {
	return sig == syscall.SIGINT || sig == syscall.SIGTERM
}

func pauseUnlessAsked(signals <-chan os.Signal) (asked bool) {
	pause := time.After(restartPause)
	for {
		select {
		case <-pause:
			return false
		case sig := <-signals:
			if asksToEnd(sig) {
				return true
			}
		}
	}
}

// redirectStreams points standard output and error at a file, the null device
// without one, and standard input at the null device. A daemon's runtime then
// writes its last words into cache.log.
func redirectStreams(to *os.File) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer null.Close()
	if to == nil {
		to = null
	}
	put := func(f *os.File, at ...int) {
		raw, err := f.SyscallConn() // Fd would make a FIFO one that writers wait for
		if err != nil {
			return
		}
		raw.Control(func(fd uintptr) {
			for _, n := range at {
				syscall.Dup3(int(fd), n, 0)
			}
		})
	}
	put(null, 0)
	put(to, 1, 2)
}

// tellReady tells the process that started the daemon that it serves.
func tellReady() {
	f := os.NewFile(readyDescriptor, "ready")
	io.WriteString(f, "1")
	f.Close()
}

// absolute makes a path survive a change of directory.
func absolute(path *string) error {
	abs, err := filepath.Abs(*path)
	if err == nil {
		*path = abs
	}
	return err
}
