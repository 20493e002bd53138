package privsep

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
)

// The serving process can start no program that gains rights (BecomeUser), and
// helpers that are set-user-id or have capabilities of their file must go on
// working. So they are started by a process that the monitor makes for the purpose,
// as the effective user and with no rights, which starts the command lines of the
// configuration as the monitor read it, whole, and nothing else.

// programs are the command lines a configuration names.
func programs(configs ...*conf.Config) (list [][]string) {
	for _, cfg := range configs {
		if cfg == nil {
			continue
		}
		for _, ref := range cfg.External() {
			if ref.Kind == conf.RefProgram {
				list = append(list, ref.Command)
			}
		}
	}
	return list
}

// newSpawner starts such a process and gives the serving process's end of its socket.
func (s *server) newSpawner() (*os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "spawner"), os.NewFile(uintptr(pair[1]), "spawner")
	defer theirs.Close()
	cmd := s.spawner()
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = nil, nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.owner.Credential()}
	if err := startWith(cmd, programs(s.cfg, s.next)); err != nil {
		ours.Close()
		return nil, err
	}
	go cmd.Wait()
	return ours, nil
}

// startWith starts cmd and tells it on standard input what it may start.
func startWith(cmd *exec.Cmd, allowed [][]string) error {
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		return err
	}
	return json.NewEncoder(in).Encode(allowed)
}

// ServeSpawner is the life of the process that starts helpers, until the serving
// process ends.
func ServeSpawner() error {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE)
	var allowed [][]string
	if err := json.NewDecoder(os.Stdin).Decode(&allowed); err != nil {
		return err
	}
	file := os.NewFile(Descriptor, "spawner")
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return err
	}
	helper.ServeSpawner(conn.(*net.UnixConn), func(args []string) bool {
		return slices.ContainsFunc(allowed, func(line []string) bool { return slices.Equal(line, args) })
	})
	return nil
}

// spawner starts helpers for the serving process: by a process of the monitor's.
type spawner struct {
	monitor *Monitor

	mu     sync.Mutex
	remote *helper.Remote
}

// Spawner is what the serving process starts helpers by.
func (m *Monitor) Spawner() helper.Spawner {
	if m == nil {
		return helper.Exec{}
	}
	return &spawner{monitor: m}
}

// Start implements helper.Spawner. A process that is gone, or that was made before
// the configuration named the program, is replaced; what the old one started goes on
// until it is told to end.
func (s *spawner) Start(c helper.Command) (helper.Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.remote != nil {
		p, err := s.remote.Start(c)
		if err == nil || !errors.Is(err, helper.ErrSpawnerGone) && !errors.Is(err, syscall.EACCES) {
			return p, err
		}
	}
	file, err := s.monitor.ask(askSpawner, "")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	if s.remote != nil {
		s.remote.Retire()
	}
	s.remote = helper.NewRemote(conn.(*net.UnixConn))
	return s.remote.Start(c)
}
