package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultStateDir is where Setup remembers what it did. It is a place that does
// not survive a restart of the machine, as what Setup does does not either.
const DefaultStateDir = "/run/cuttle"

// state is what Setup did, or was about to do when it was interrupted.
type state struct {
	Version   int           `json:"version"`
	Boot      string        `json:"boot"`
	Namespace uint64        `json:"namespace"`
	Table     bool          `json:"table"`
	Rules     []string      `json:"rules,omitempty"`  // families
	Routes    []string      `json:"routes,omitempty"` // families
	LoUp      bool          `json:"lo_up,omitempty"`
	Variables []savedChange `json:"variables,omitempty"` // in the order they were set
}

// savedChange is a kernel variable before and after.
type savedChange struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
	// Spread are variables that changed along with it (ip_forward sets the
	// forwarding of every interface) and had another value than Old.
	Spread map[string]string `json:"spread,omitempty"`
}

const stateVersion = 1

// store keeps a state in a file, locked for as long as the store is open.
type store struct {
	path string
	lock *os.File
	state
	exists bool
}

// openStore locks and reads the state of this network namespace. A state from
// before the last boot is forgotten: what it describes is gone.
func openStore(dir string) (*store, error) {
	if dir == "" {
		dir = DefaultStateDir
	}
	here, err := newState()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &store{path: filepath.Join(dir, fmt.Sprintf("network-%d.json", here.Namespace)), state: here}
	if s.lock, err = os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600); err != nil {
		return nil, err
	}
	if err := unix.Flock(int(s.lock.Fd()), unix.LOCK_EX); err != nil {
		s.close()
		return nil, fmt.Errorf("locking %s: %w", s.lock.Name(), err)
	}
	if err := s.read(here); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *store) read(here state) error {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var old state
	if err := json.Unmarshal(text, &old); err != nil || old.Version != stateVersion {
		return fmt.Errorf("%s is not a state of ours (%v): undo by hand what it lists and remove it", s.path, err)
	}
	if old.Boot == here.Boot && old.Namespace == here.Namespace {
		s.state, s.exists = old, true
	}
	return nil
}

// save writes the state so that a crash leaves either the old or the new one.
func (s *store) save() error {
	text, err := json.MarshalIndent(s.state, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".network-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("remembering what is done: %w", err)
	}
	s.exists = true
	return nil
}

func (s *store) forget() error {
	err := os.Remove(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.exists = false
	return err
}

func (s *store) close() { s.lock.Close() }

func newState() (state, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return state{}, err
	}
	cookie, err := namespaceCookie()
	return state{Version: stateVersion, Boot: strings.TrimSpace(string(boot)), Namespace: cookie}, err
}

// namespaceCookie is a number no other network namespace has until the next boot.
func namespaceCookie() (uint64, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	return cookie, os.NewSyscallError("getsockopt SO_NETNS_COOKIE", err)
}
