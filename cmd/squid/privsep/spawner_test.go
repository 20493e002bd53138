package privsep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/helper"
)

// asSpawner makes the test binary the process that starts helpers.
const asSpawner = "PRIVSEP_TEST_SPAWNER"

func TestMain(m *testing.M) {
	if os.Getenv(asSpawner) != "" {
		if err := ServeSpawner(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// answerOf starts a program and gives what it writes.
func answerOf(t *testing.T, s helper.Spawner, args ...string) (string, error) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := s.Start(helper.Command{Args: args, Stdin: null, Stdout: w, Stderr: w})
	w.Close()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	p.Wait()
	return string(text), err
}

// Helpers are started as the effective user, with the rights of set-user-id files to
// gain, and only by the whole command line of the configuration as root reads it.
func TestSpawnerStartsWhatTheConfigurationNames(t *testing.T) {
	k := newKeptFiles(t)
	script := k.in("who")
	k.put("who", "#!/bin/sh\necho $1 $(id -u) $(grep NoNewPrivs /proc/self/status)\n")
	if err := errors.Join(os.Chmod(script, 0o755), os.Chmod(k.dir, 0o755), os.Chmod(filepath.Dir(k.dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	k.child.spawner = func() *exec.Cmd {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), asSpawner+"=1")
		return cmd
	}
	names := func(argument string) {
		k.configure("squid.pid", "access.log")
		text, _ := os.ReadFile(k.in("squid.conf"))
		k.put("squid.conf", string(text)+"url_rewrite_program "+script+" "+argument+"\n")
		k.do(askLearn, "")
		k.do(askAdopt, "")
	}
	s := k.Spawner()
	names("first")
	want := func(argument string) string { return fmt.Sprintf("%s %d NoNewPrivs: 0\n", argument, k.child.owner.UID) }
	got, err := answerOf(t, s, script, "first")
	if got != want("first") || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, args := range [][]string{{script}, {script, "second"}, {script, "first", "more"}, {"/bin/true"}, {script + " first"}} {
		if got, err := answerOf(t, s, args...); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%q was started: %q, %v", args, got, err)
		}
	}
	names("second")
	if got, err := answerOf(t, s, script, "second"); got != want("second") || err != nil {
		t.Errorf("after a reconfigure: %q, %v", got, err)
	}
	if _, err := answerOf(t, s, script, "first"); err == nil {
		t.Error("a program that is configured no more was started")
	}
	if os.Geteuid() == 0 && strings.HasPrefix(want(""), " 0 ") {
		t.Error("helpers run as root")
	}
}

// A nil Monitor starts them itself.
func TestSpawnerWithoutMonitor(t *testing.T) {
	if got, err := answerOf(t, (*Monitor)(nil).Spawner(), "/bin/echo", "here"); got != "here\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
