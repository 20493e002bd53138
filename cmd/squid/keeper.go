package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// keeper is the serving process's side of its small root helper. The serving
// process gives root up; what needs root afterwards is done by a child that
// stays root and does only these named things, each on files the configuration
// names: write and remove the pid file, open a log for appending, rename a log
// when it rotates, open a configuration file for reading, open what routers' GRE
// comes by.
//
// A nil keeper, of a process that never was root, does them itself.
type keeper struct {
	mu   sync.Mutex
	conn *net.UnixConn
	cmd  *exec.Cmd
}

// The named things, as the first octet of a request; its argument follows.
const (
	askWritePid  = 'w'
	askRemovePid = 'r'
	askOpenLog   = 'l'
	askRenameLog = 'm' // FROM NUL TO
	askLearn     = 'c' // read the configuration again and learn the files it names
	askAdopt     = 'a' // the configuration read last is in force now
	askOpenConf  = 'f'
	askOpenGRE   = 'g' // the raw socket that routers' GRE comes by, when the configuration says so
	askOpenTUN   = 't' // the device it is delivered on, likewise
	askSetUp     = 's' // network_setup as the configuration has it now
)

// startKeeper starts the helper, connected by a socket that ends with either.
func startKeeper(inv *invocation) (*keeper, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "keeper"), os.NewFile(uintptr(pair[1]), "keeper")
	defer theirs.Close()
	defer ours.Close()
	cmd := reexec(inv, roleKeeper, "(squid-keeper)")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = nil, nil                     // whoever waits for our output must not wait for it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the proxy
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the helper that stays root: %w", err)
	}
	go cmd.Wait()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	return &keeper{conn: conn.(*net.UnixConn), cmd: cmd}, nil
}

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

func (k *keeper) writePid(path string) error {
	if path == "" || path == "none" {
		return nil
	}
	if k == nil {
		return writePid(path, os.Getpid())
	}
	_, err := k.ask(askWritePid, path)
	return err
}

func (k *keeper) removePid(path string) error {
	if path == "" || path == "none" {
		return nil
	}
	if k == nil {
		return removePid(path, os.Getpid())
	}
	_, err := k.ask(askRemovePid, path)
	return err
}

// OpenLog opens a log file for appending: as ourselves where we may, so that it
// belongs to the effective user as 2.6's do, else through the helper. A FIFO
// that nobody reads is an error, as in 2.6, and no reason to wait.
func (k *keeper) OpenLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	if k == nil || !errors.Is(err, syscall.EACCES) {
		return f, err
	}
	return k.ask(askOpenLog, path)
}

// Rename renames a log file as part of a rotation.
func (k *keeper) Rename(from, to string) error {
	err := os.Rename(from, to)
	if k == nil || !errors.Is(err, syscall.EACCES) {
		return err
	}
	_, err = k.ask(askRenameLog, from+"\x00"+to)
	return err
}

// learn makes the helper read the configuration, so that it knows which files a
// reconfigure may want to read.
func (k *keeper) learn() error {
	if k == nil {
		return nil
	}
	_, err := k.ask(askLearn, "")
	return err
}

// adopt tells the helper that what it learnt last is in force.
func (k *keeper) adopt() error {
	if k == nil {
		return nil
	}
	_, err := k.ask(askAdopt, "")
	return err
}

// openConf opens a file of the configuration for reading.
func (k *keeper) openConf(path string) (io.ReadCloser, error) {
	in, err := conf.OpenFile(path)
	if k == nil || !errors.Is(err, syscall.EACCES) {
		return in, err
	}
	f, err := k.ask(askOpenConf, path)
	if err != nil {
		return nil, err
	}
	return conf.EndingFile(f)
}

// close lets the helper end.
func (k *keeper) close() {
	if k != nil {
		k.conn.Close()
	}
}

// ask has one named thing done. The answer is an error text, empty for success,
// with the descriptor of an opened file beside it.
func (k *keeper) ask(what byte, argument string) (*os.File, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.conn.Write(append([]byte{what}, argument...)); err != nil {
		return nil, fmt.Errorf("the helper that stays root is gone: %w", err)
	}
	answer, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := k.conn.ReadMsgUnix(answer, rights)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("the helper that stays root is gone: %v", err)
	}
	if n > 1 {
		return nil, errors.New(string(answer[1:n]))
	}
	if answer[0] != 0 {
		return nil, syscall.Errno(answer[0])
	}
	messages, err := unix.ParseSocketControlMessage(rights[:m])
	if err != nil || len(messages) == 0 {
		return nil, nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), filepath.Base(argument)), nil
}
