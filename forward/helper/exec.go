package helper

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exec starts programs as children of this process. They end when they find their
// standard input closed, which every helper looks at, however this process ended.
type Exec struct{}

// Start implements Spawner.
func (Exec) Start(c Command) (Process, error) {
	return start(c, syscall.SysProcAttr{Setpgid: true}) // Ctrl-C is for the proxy
}

// shell runs a script without a first line that says what does, as execvp(3) has it.
const shell = "/bin/sh"

func start(c Command, attr syscall.SysProcAttr) (*execProcess, error) {
	p, err := startProgram(c, attr)
	if errors.Is(err, syscall.ENOEXEC) {
		c.Args = append([]string{shell}, c.Args...)
		return startProgram(c, attr)
	}
	return p, err
}

func startProgram(c Command, attr syscall.SysProcAttr) (*execProcess, error) {
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = Environment(os.Environ())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	cmd.SysProcAttr = &attr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &execProcess{cmd: cmd}, nil
}

// execProcess is a child of this process and the group it leads.
type execProcess struct {
	cmd *exec.Cmd

	mu    sync.Mutex
	ended bool // its process id may be another's
}

func (p *execProcess) Pid() int { return p.cmd.Process.Pid }

func (p *execProcess) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		syscall.Kill(-p.Pid(), syscall.SIGKILL)
	}
}

// Wait keeps the process id from being given away before ended says so.
func (p *execProcess) Wait() string {
	for unix.Waitid(unix.P_PID, p.Pid(), nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if err := p.cmd.Wait(); err != nil {
		return err.Error()
	}
	return p.cmd.ProcessState.String()
}
