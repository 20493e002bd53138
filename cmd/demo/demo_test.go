package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// patience bounds whatever a test waits for.
const patience = 30 * time.Second

// TestMain lets the test binary be the other programs of the lab.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == withEtc {
		fmt.Fprintln(os.Stderr, runWithEtc(os.Args[2:]))
		os.Exit(127)
	}
	if os.Getenv(demoVariable) != "" && len(os.Args) > 1 && os.Args[1] == "-squid" {
		main()
		return
	}
	if variant, is := strings.CutPrefix(filepath.Base(os.Args[0]), standInPrefix); is {
		if err := standIn(variant, os.Args); err != nil {
			fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(1)
		}
		return
	}
	status := m.Run()
	os.RemoveAll(builds.directory)
	os.Exit(status)
}

// builds keeps programs made for the tests, by name.
var builds struct {
	sync.Mutex
	directory string
	made      map[string]string
}

// built makes one of our programs, once, and gives its path.
func built(t *testing.T, name string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if path := builds.made[name]; path != "" {
		return path
	}
	if builds.directory == "" {
		directory, err := os.MkdirTemp("", "cuttle-demo-test-")
		if err != nil {
			t.Fatal(err)
		}
		builds.directory, builds.made = directory, make(map[string]string)
	}
	path := filepath.Join(builds.directory, name)
	build := exec.Command("go", "build", "-o", path, "../"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	os.Chmod(builds.directory, 0o755) // squid drops its rights
	builds.made[name] = path
	return path
}

// standInStage is a stage whose cache is the stand-in.
func standInStage(t *testing.T, variant string) *stage {
	t.Helper()
	lab := netlab.ForTest(t)
	directory := shortDirectory(t)
	s, err := buildStage(lab, "s", directory, recommendedFragment, 1, programs{squid: standInProgram(t, variant), routersim: built(t, "routersim")})
	t.Cleanup(func() { s.close() })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The judgement has to see through caches that only look as if they worked.
func TestTheDemoFailsHonestly(t *testing.T) {
	t.Parallel()
	for variant, why := range map[string]string{
		faithful:  "",
		unspoofed: "the origin saw",
		unlogged:  "access.log has no line",
		unmarked:  "names no cache",
		bypassing: "did not redirect",
		elsewhere: "answered",
	} {
		t.Run(variant, func(t *testing.T) {
			s := standInStage(t, variant)
			if variant != faithful {
				s.settle = time.Second // what is not there now will not come
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if variant != bypassing {
				if err := s.ready(ctx); err != nil {
					t.Fatal(err)
				}
			}
			all := fetches(s.network)
			e := s.examine(ctx, all[3]) // the site with several addresses
			var report strings.Builder
			e.describe(&report, 1)
			if variant == faithful {
				e := s.examine(ctx, all[2])
				e.describe(&report, 2)
				if strings.Contains(report.String(), "FAIL") {
					t.Error(report.String())
				}
				t.Log(report.String())
				return
			}
			if !strings.Contains(report.String(), "FAIL: ") || !strings.Contains(report.String(), why) {
				t.Errorf("want a failure with %q:\n%s", why, report.String())
			}
		})
	}
}

func TestACacheThatEndsIsReported(t *testing.T) {
	t.Parallel()
	s := standInStage(t, dying)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := s.ready(ctx)
	if err == nil || !strings.Contains(err.Error(), "squid ended") || !strings.Contains(err.Error(), "dies as told") {
		t.Errorf("got %v", err)
	}
}
