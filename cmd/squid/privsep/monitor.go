package privsep

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Monitor is the serving process's side of the monitor. What is asked of it is one
// of the named things below, each on files the configuration names: write and
// remove the pid file, open a log for appending, rename a log when it rotates, open
// a configuration file for reading, open what routers' GRE comes by, keep up the
// rules of network_setup, have helper programs started.
//
// A nil Monitor, of a process that never was root, does what it can itself.
type Monitor struct {
	mu    sync.Mutex
	conn  *net.UnixConn
	owed  int           // answers still to come, those to questions given up among them
	limit time.Duration // in place of silence, for tests
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
	askSpawner   = 'p' // a process that starts the configuration's programs
)

// Descriptor is where the monitor finds its end of the socket.
const Descriptor = 3

// Start runs cmd as the monitor, connected by a socket that ends with either. It
// is to call Serve.
func Start(cmd *exec.Cmd) (*Monitor, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "monitor"), os.NewFile(uintptr(pair[1]), "monitor")
	defer theirs.Close()
	defer ours.Close()
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = nil, nil                     // whoever waits for our output must not wait for it
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the proxy
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the monitor that stays root: %w", err)
	}
	go cmd.Wait()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	return &Monitor{conn: conn.(*net.UnixConn)}, nil
}

// WritePid writes the pid file the configuration in force names, path for a nil Monitor.
func (m *Monitor) WritePid(path string) error {
	if path == "" || path == "none" {
		return nil
	}
	if m == nil {
		return WritePid(path, os.Getpid())
	}
	_, err := m.ask(askWritePid, path)
	return err
}

// RemovePid removes it if it still names this process.
func (m *Monitor) RemovePid(path string) error {
	if path == "" || path == "none" {
		return nil
	}
	if m == nil {
		return RemovePid(path, os.Getpid())
	}
	_, err := m.ask(askRemovePid, path)
	return err
}

// OpenLog opens a log file for appending: as ourselves where we may, so that it
// belongs to the effective user as 2.6's do, else through the monitor. A FIFO
// that nobody reads is an error, as in 2.6, and no reason to wait.
func (m *Monitor) OpenLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	if m == nil || !errors.Is(err, syscall.EACCES) {
		return f, err
	}
	return m.ask(askOpenLog, path)
}

// Rename renames a log file as part of a rotation.
func (m *Monitor) Rename(from, to string) error {
	err := os.Rename(from, to)
	if m == nil || !errors.Is(err, syscall.EACCES) {
		return err
	}
	_, err = m.ask(askRenameLog, from+"\x00"+to)
	return err
}

// Learn makes the monitor read the configuration, so that it knows which files a
// reconfigure may want to read.
func (m *Monitor) Learn() error {
	if m == nil {
		return nil
	}
	_, err := m.ask(askLearn, "")
	return err
}

// Adopt tells the monitor that what it learnt last is in force.
func (m *Monitor) Adopt() error {
	if m == nil {
		return nil
	}
	_, err := m.ask(askAdopt, "")
	return err
}

// openConf opens a file of the configuration for reading.
func (m *Monitor) openConf(path string) (io.ReadCloser, error) {
	in, err := conf.OpenFile(path)
	if m == nil || !errors.Is(err, syscall.EACCES) {
		return in, err
	}
	f, err := m.ask(askOpenConf, path)
	if err != nil {
		return nil, err
	}
	return conf.EndingFile(f)
}

// World is the machine as a process sees it that was root when it started and is
// no more: what it may not read the monitor opens for it, and what is asked about
// root is answered as at the start.
func (m *Monitor) World(machine conf.World) conf.World {
	return rereadingWorld{World: machine, monitor: m}
}

// GRESocket has the raw socket opened that routers' GRE comes by.
func (m *Monitor) GRESocket() (*os.File, error) { return m.ask(askOpenGRE, "") }

// TUN has the device opened that routers' packets are delivered on.
func (m *Monitor) TUN() (*os.File, error) { return m.ask(askOpenTUN, "") }

// SetUpRules has network_setup done, or taken back, as the configuration in force
// wants it.
func (m *Monitor) SetUpRules() error {
	_, err := m.ask(askSetUp, "")
	return err
}

// Close lets the monitor end.
func (m *Monitor) Close() {
	if m != nil {
		m.conn.Close()
	}
}

// silence is how long the monitor may give no sign of life while it is asked
// something; one that works on longer says so at signInterval.
const (
	silence      = 5 * time.Second
	signInterval = time.Second
)

// working is the error number of an answer that says no more than that the monitor
// is at work.
const working = syscall.EINPROGRESS

// ask has one named thing done. An answer is an error number, or 0 and an error
// text, empty for success, with the descriptor of an opened file beside it. A
// monitor that falls silent (stopped by somebody) holds nothing up: what it answers
// later is passed over.
func (m *Monitor) ask(what byte, argument string) (*os.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conn.SetDeadline(time.Now().Add(m.patience()))
	if _, err := m.conn.Write(append([]byte{what}, argument...)); err != nil {
		return nil, gone(err)
	}
	for m.owed++; ; {
		file, err := m.answer(filepath.Base(argument))
		switch {
		case errors.Is(err, errGone):
			return nil, err
		case errors.Is(err, working):
			m.conn.SetDeadline(time.Now().Add(cmp.Or(m.limit, silence)))
			continue
		}
		if m.owed--; m.owed == 0 {
			return file, err
		}
		if file != nil { // of an answer that came too late
			file.Close()
		}
	}
}

// patience is silence, and a tenth of that while an answer is overdue already.
func (m *Monitor) patience() time.Duration {
	limit := cmp.Or(m.limit, silence)
	if m.owed > 0 {
		return limit / 10
	}
	return limit
}

// errGone says that the monitor cannot be asked.
var errGone = errors.New("the monitor that stays root is gone")

func gone(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w, or stopped: no answer within %v", errGone, silence)
	}
	return fmt.Errorf("%w: %v", errGone, err)
}

// answer reads one.
func (m *Monitor) answer(name string) (*os.File, error) {
	text, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, oob, _, _, err := m.conn.ReadMsgUnix(text, rights)
	if err != nil || n == 0 {
		return nil, gone(err)
	}
	if n > 1 {
		return nil, errors.New(string(text[1:n]))
	}
	if text[0] != 0 {
		return nil, syscall.Errno(text[0])
	}
	messages, err := unix.ParseSocketControlMessage(rights[:oob])
	if err != nil || len(messages) == 0 {
		return nil, nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), name), nil
}
