package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// demoVariable makes the test binary be the demo.
const demoVariable = "CUTTLE_DEMO_MAIN"

// demoCommand is the demo with the stand-in for squid.
func demoCommand(t *testing.T, variant string) *exec.Cmd {
	if err := netlab.Available(); err != nil {
		t.Skipf("network-namespace test skipped: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-squid", standInProgram(t, variant), "-routersim", built(t, "routersim"), "-only", "recommended,user")
	cmd.Env = append(os.Environ(), demoVariable+"=1", "TMPDIR="+shortDirectory(t))
	return cmd
}

// shortDirectory is a temporary directory whose name leaves room for the name of a
// Unix socket, which the kernel limits to 107 octets.
func shortDirectory(t *testing.T) string {
	directory, err := os.MkdirTemp("", "demotest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	os.Chmod(directory, 0o755) // squid drops its rights
	return directory
}

// leavesNothing checks that a demo that ran is gone with all it made.
func leavesNothing(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	left, _ := filepath.Glob(fmt.Sprintf("/run/netns/cuttledemo-%d-*", cmd.Process.Pid))
	if len(left) > 0 {
		t.Errorf("namespaces left: %v", left)
	}
	for _, variable := range cmd.Env {
		if directory, found := strings.CutPrefix(variable, "TMPDIR="); found && strings.Contains(directory, "demotest") {
			if files, _ := filepath.Glob(directory + "/*"); len(files) > 0 {
				t.Errorf("files left: %v", files)
			}
		}
	}
}

func TestTheExitStatusMatchesTheVerdict(t *testing.T) {
	t.Parallel()
	for variant, want := range map[string]struct {
		status  int
		verdict string
	}{
		faithful: {0, "PASS: 12 of 12 fetches"},
		unmarked: {1, "FAIL: 0 of 12 fetches passed"},
		dying:    {1, "FAIL: The recommended configuration: squid ended"},
	} {
		t.Run(variant, func(t *testing.T) {
			cmd := demoCommand(t, variant)
			out, _ := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); status != want.status || !strings.Contains(string(out), want.verdict) {
				t.Errorf("status %d:\n%s", status, out)
			}
			for _, line := range []string{"  + acl all src", "    http_port 80 transparent tproxy\n"} {
				if !strings.Contains(string(out), line) {
					t.Errorf("the demo does not show %q", line)
				}
			}
			leavesNothing(t, cmd)
		})
	}
}

func TestNothingShownIsNoSuccess(t *testing.T) {
	for _, only := range []string{"nonsense", "recommended,nonsense", ""} {
		cmd := exec.Command(os.Args[0], "-squid", "none", "-only", only)
		cmd.Env = append(os.Environ(), demoVariable+"=1")
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != 1 || !strings.Contains(string(out), "FAIL: -only") {
			t.Errorf("-only %s: status %d\n%s", only, status, out)
		}
	}
}

func TestAnInterruptedDemoCleansUp(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := demoCommand(t, bypassing) // never ready
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal("the demo ended by itself")
				}
				if strings.HasPrefix(line, "Waiting") {
					break
				}
			}
			cmd.Process.Signal(sig)
			rest, _ := io.ReadAll(lines)
			cmd.Wait()
			if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(rest), "FAIL: interrupted") {
				t.Errorf("%v:\n%s", cmd.ProcessState, rest)
			}
			leavesNothing(t, cmd)
		})
	}
}

// The real thing, as `make demo` runs it.
func TestTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute of the protocol's timers")
	}
	t.Parallel()
	cmd := demoCommand(t, faithful)
	cmd.Args = []string{os.Args[0], "-squid", built(t, "squid"), "-routersim", built(t, "routersim")}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "PASS: 20 of 20 fetches") {
		t.Errorf("%v\n%s", err, out)
	}
	leavesNothing(t, cmd)
}
