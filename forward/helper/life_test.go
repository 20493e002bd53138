package helper

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Closing loses no question: neither those that were asked nor those that wait.
func TestClose(t *testing.T) {
	for _, o := range []Options{{Program: program("echo"), Children: 2}, {Program: program("echo channels"), Children: 1, Concurrency: 3}} {
		p, logs := newPool(t, o)
		file := filepath.Join(t.TempDir(), "go")
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if answer, err := p.Ask(t.Context(), []byte("wait "+file)); answer != "waited" || err != nil {
					t.Errorf("%q, %v", answer, err)
				}
			})
		}
		eventually(t, "all are asked or wait", func() bool { s := p.Stats(); return s.Queue+int(s.Asked) == 10 })
		p.Close()
		p.Close()
		if _, err := p.Ask(t.Context(), []byte("x")); err != ErrClosed {
			t.Errorf("%v, want ErrClosed", err)
		}
		os.WriteFile(file, nil, 0o600)
		wg.Wait()
		p.Wait()
		if n := len(p.Stats().Children); n != 0 || logged(logs, "exited") {
			t.Errorf("%d processes are left, or their end is complained of", n)
		}
	}
}

// A process that does not want to end is ended.
func TestKillDeaf(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("deaf"), Children: 3})
	p.Close()
	p.Kill()
	p.Wait()
	for _, c := range p.Stats().Children {
		t.Errorf("process %d is left", c.Pid)
	}
}

func TestDescriptors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, spawner := range spawners(t) {
		p, _ := newPool(t, Options{Children: 3, Spawner: spawner, Program: []string{"/bin/sh", "-c",
			"while read q; do a=; for f in /proc/$$/fd/*; do [ -e $f ] && a=$a${f##*/}=$(readlink $f),; done; echo $a; done"}})
		for range 3 {
			answer, err := p.Ask(t.Context(), []byte("which"))
			for _, fd := range strings.Split(strings.TrimSuffix(answer, ","), ",") {
				number, what, _ := strings.Cut(fd, "=")
				n, _ := strconv.Atoi(number)
				if flags, e := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); e == nil && flags&unix.FD_CLOEXEC == 0 {
					continue // standard ones, and what the test itself was started with
				}
				if n > 2 || what == "" || err != nil {
					t.Errorf("%s: a helper has descriptor %q of %q, %v", name, fd, answer, err)
				}
			}
		}
		p.Kill()
		p.Wait()
	}
}

// A script need not say what runs it: the shell does, as for execvp(3).
func TestScriptWithoutInterpreter(t *testing.T) {
	script := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(script, []byte("while read l; do echo \"$1 $l\"; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, _ := newPool(t, Options{Program: []string{script, "of"}})
	if answer, err := p.Ask(t.Context(), []byte("x")); answer != "of x" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestEnvironment(t *testing.T) {
	for _, v := range []string{"KRB5_KTNAME=/etc/squid/HTTP.keytab", "LD_PRELOAD=", "LD_LIBRARY_PATH=/tmp", "CUTTLE_ROLE=worker",
		"LISTEN_FDS=3", "NOTIFY_SOCKET=/x"} {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	for name, spawner := range spawners(t) {
		p, _ := newPool(t, Options{Program: program("environment"), Spawner: spawner})
		answer, err := p.Ask(t.Context(), []byte("which"))
		if err != nil || !strings.Contains(answer, "KRB5_KTNAME=/etc/squid/HTTP.keytab") {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
		for _, secret := range []string{"LD_", "CUTTLE_", "LISTEN_", "NOTIFY"} {
			if strings.Contains(" "+answer, " "+secret) {
				t.Errorf("%s: %q reaches the helper: %s", name, secret, answer)
			}
		}
		p.Kill()
		p.Wait()
	}
}

func TestComplaints(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("complaining")})
	if _, err := p.Ask(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what it complains of is logged", func() bool { return logged(logs, "complains too much") })
	if n := logs.FilterField(zap.String("complaint", "this helper?complains")).Len(); n != complaintBurst-1 {
		t.Errorf("%d lines", n)
	}
}

func TestSession(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("echo"), Children: 2})
	var sessions []*Session
	for range 2 {
		s, err := p.Reserve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	pids := map[string]bool{}
	for range 3 {
		for i, s := range sessions {
			answer, err := s.Ask(t.Context(), []byte("pid"))
			if err != nil {
				t.Fatal(err)
			}
			pids[fmt.Sprint(i, " ", answer)] = true
		}
	}
	if len(pids) != 2 {
		t.Errorf("sessions change their processes: %v", pids)
	}
	third := make(chan error)
	go func() {
		s, err := p.Reserve(t.Context())
		if err == nil {
			s.Release()
		}
		third <- err
	}()
	eventually(t, "the third waits", func() bool { return p.Waiting() == 1 })
	sessions[0].Release()
	sessions[0].Release()
	if err := <-third; err != nil {
		t.Error(err)
	}
	if _, err := sessions[0].Ask(t.Context(), []byte("x")); err != ErrExpired {
		t.Errorf("%v, want ErrExpired", err)
	}
	if _, err := sessions[1].Ask(t.Context(), []byte("die")); err != ErrDied {
		t.Errorf("%v, want ErrDied", err)
	}
	if _, err := sessions[1].Ask(t.Context(), []byte("x")); err != ErrExpired {
		t.Errorf("%v, want ErrExpired", err)
	}
}

// A client that does not go on with its handshake keeps nobody out.
func TestSessionExpires(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("echo"), Hold: 1})
	s, err := p.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.Reserve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other.Release()
	if _, err := s.Ask(t.Context(), []byte("x")); err != ErrExpired {
		t.Errorf("%v, want ErrExpired", err)
	}
}
