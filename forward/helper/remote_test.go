package helper

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// newRemote starts a spawner and gives our end and its process.
func newRemote(t testing.TB) (*Remote, *os.Process) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	cmd := exec.Command("/proc/self/exe", "as-helper", "spawner")
	cmd.ExtraFiles = []*os.File{theirs}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	c, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	r := NewRemote(c.(*net.UnixConn))
	t.Cleanup(func() {
		r.Close()
		cmd.Wait()
	})
	return r, cmd.Process
}

// spawners are the ways to start programs.
func spawners(t testing.TB) map[string]Spawner {
	r, _ := newRemote(t)
	return map[string]Spawner{"exec": Exec{}, "spawner": r}
}

func TestRemote(t *testing.T) {
	r, _ := newRemote(t)
	p, logs := newPool(t, Options{Program: program("echo"), Children: 3, Spawner: r})
	if answer, err := p.Ask(t.Context(), []byte("question")); answer != "question" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := p.Ask(t.Context(), []byte("die")); err != ErrDied {
		t.Errorf("%v, want ErrDied", err)
	}
	eventually(t, "its end is named", func() bool { return logged(logs, "exited: exit status 3") })
	eventually(t, "it is replaced", func() bool { return len(p.Stats().Children) == 3 })
	p.Close()
	p.Wait()
}

func TestRemoteRefuses(t *testing.T) {
	r, _ := newRemote(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for path, want := range map[string]error{"/forbidden": syscall.EACCES, "/nonexistent": syscall.ENOENT, "": syscall.EINVAL, "/etc/passwd": syscall.EACCES} {
		if _, err := r.Start(Command{Args: []string{path}, Stdin: null, Stdout: null, Stderr: null}); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", path, err, want)
		}
	}
	if _, err := r.Start(Command{Args: []string{"/bin/true", string(make([]byte, maxPacket))}, Stdin: null, Stdout: null, Stderr: null}); err != syscall.E2BIG {
		t.Errorf("%v, want E2BIG", err)
	}
}

// Nothing is left when either process ends in whatever way, even of helpers that
// never look at their input.
func TestNothingOutlives(t *testing.T) {
	for name, end := range map[string]func(r *Remote, p *os.Process){
		"ours":           func(r *Remote, _ *os.Process) { r.Close() },
		"killed spawner": func(_ *Remote, p *os.Process) { p.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			r, spawner := newRemote(t)
			p, _ := newPool(t, Options{Program: program("deaf"), Children: 3, Spawner: r})
			pids := []int{}
			for _, c := range p.Stats().Children {
				pids = append(pids, c.Pid)
			}
			if len(pids) != 3 {
				t.Fatalf("processes %v", pids)
			}
			end(r, spawner)
			eventually(t, "all are gone", func() bool {
				return !slices.ContainsFunc(pids, func(pid int) bool { return alive(pid) })
			})
			if _, err := p.Ask(t.Context(), []byte("x")); err != ErrDown && err != ErrDied {
				t.Errorf("%v, want ErrDown", err)
			}
		})
	}
}

// alive reports whether a process runs; one that nobody has waited for does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !slices.Contains([]byte("ZX"), stat[slices.Index(stat, ')')+2])
}
