package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// graceful is how long a process may take to end after SIGTERM.
const graceful = 2 * time.Second

// Process is a command running inside a node.
type Process struct {
	Cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start runs a command inside the namespace. It is ended with the lab at the
// latest; its group is its own, so that an interrupt reaches the lab alone.
func (n *Node) Start(cmd *exec.Cmd) (*Process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := n.Do(cmd.Start); err != nil {
		return nil, fmt.Errorf("netlab: starting %s in %s: %w", cmd.Path, n.Name, err)
	}
	p := &Process{Cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	n.procs.add(p)
	return p, nil
}

// Run runs a command inside the namespace to its end and returns what it wrote.
func (n *Node) Run(name string, args ...string) (string, error) {
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := n.Do(cmd.Start); err != nil {
		return "", fmt.Errorf("netlab: starting %s in %s: %w", name, n.Name, err)
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("%s: %s %s: %w\n%s", n.Name, name, strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// Must is Run as a step of building: a failure fails the lab.
func (n *Node) Must(name string, args ...string) (out string) {
	n.lab.step(n.Name+": "+name, func() (err error) {
		out, err = n.Run(name, args...)
		return err
	})
	return out
}

// Done is closed when the process has ended; Err tells how.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is the process's exit error, meaningful once Done is closed.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return errors.New("netlab: still running")
	}
}

// Stop asks the process to end, waits a moment, and then ends it.
func (p *Process) Stop() error {
	p.Cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(graceful):
		syscall.Kill(-p.Cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
	return p.err
}

type processes struct {
	mu  sync.Mutex
	all []*Process
}

func (s *processes) add(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p)
}

func (s *processes) stopAll() {
	s.mu.Lock()
	all := s.all
	s.all = nil
	s.mu.Unlock()
	var wait sync.WaitGroup
	for _, p := range all {
		wait.Go(func() { p.Stop() })
	}
	wait.Wait()
}

// killInside ends what is left in a namespace: daemons that detached themselves.
func killInside(ns netns.NsHandle) {
	var want unix.Stat_t
	if !ns.IsOpen() || unix.Fstat(int(ns), &want) != nil {
		return
	}
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, link := range links {
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err != nil || pid == os.Getpid() {
			continue
		}
		var have unix.Stat_t
		if unix.Stat(link, &have) == nil && have.Ino == want.Ino && have.Dev == want.Dev {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
