package peers

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var recordings = flag.Bool("recordings", false, "play recordings through the real binary")

// A usual run plays one in share of the recordings, other ones each day, and none that
// waits for longer than shortest, in milliseconds.
const (
	share    = 10
	shortest = 2000
)

// TestRecordings plays recordings of Squid 2.6 among neighbours through the binary as
// it is shipped, all of them with CUTTLE_FULL=1.
func TestRecordings(t *testing.T) {
	switch {
	case !*recordings:
		t.Skip("played without the race detector, by `make exchange`")
	case os.Getuid() != 0:
		t.Skip("a network namespace needs root")
	}
	files, err := filepath.Glob(data + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	bin := buildProxy(t)
	turns := make(chan struct{}, runtime.NumCPU()+2)
	today := int(time.Now().Unix() / 86400)
	for i, file := range files {
		s := load(t, file)
		if os.Getenv("CUTTLE_FULL") == "" && (i%share != today%share || s.pauses() > shortest) {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			turns <- struct{}{}
			defer func() { <-turns }()
			got := played(t, bin, file)
			// What waits for a few milliseconds may be disturbed by the machine: who
			// fails once may try again.
			if len(differences(&got, &s.Want)) > 0 {
				got = played(t, bin, file)
			}
			for _, d := range differences(&got, &s.Want) {
				t.Error(d)
			}
		})
	}
}

// buildProxy builds the binary under test.
func buildProxy(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "squid")
	build := exec.Command("go", "build", "-o", bin, "../../squid")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// played plays a scenario in a namespace of its own.
func played(t *testing.T, bin, file string) (out outcome) {
	t.Helper()
	dir, err := os.MkdirTemp("", "peers-") // the test's own is closed to the user the proxy becomes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run=^TestPlay$", "-test.timeout=120s")
	c.Env = append(os.Environ(), "PEERS_FILE="+file, "PEERS_BIN="+bin, "PEERS_DIR="+dir)
	c.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	text, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	b, err := os.ReadFile(filepath.Join(dir, "outcome.json"))
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// TestPlay plays one scenario, in the process TestRecordings starts for it.
func TestPlay(t *testing.T) {
	file := os.Getenv("PEERS_FILE")
	if file == "" {
		return // nothing is to be played
	}
	p := newPlay(t, load(t, file), os.Getenv("PEERS_DIR"))
	b, err := json.Marshal(p.run(os.Getenv("PEERS_BIN")))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.dir, "outcome.json"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// differences says what is not as it was.
func differences(got, want *outcome) (list []string) {
	differ := func(where string, now, then any) {
		a, _ := json.Marshal(now)
		b, _ := json.Marshal(then)
		if string(a) != string(b) {
			list = append(list, fmt.Sprintf("%s:\n  now      %s\n  recorded %s", where, a, b))
		}
	}
	differ("started", got.Started, want.Started)
	for i := range want.Steps {
		var now seen
		if i < len(got.Steps) {
			now = got.Steps[i]
		}
		differ(fmt.Sprintf("step %d", i+1), now, want.Steps[i])
	}
	if want.Access != nil {
		differ("access.log", append([]string{}, got.Access...), want.Access)
	}
	return list
}

// The judge sees a difference in each part of an outcome.
func TestDifferences(t *testing.T) {
	want := outcome{Started: true, Access: []string{"a"}, Steps: []seen{{Status: 200, Replies: []string{"HIT u"}}, {}}}
	for name, c := range map[string]struct {
		got outcome
		n   int
	}{
		"same":     {outcome{Started: true, Access: []string{"a"}, Steps: []seen{{Status: 200, Replies: []string{"HIT u"}}, {Replies: []string{}}}}, 0},
		"nothing":  {outcome{}, 3},
		"status":   {outcome{Started: true, Access: []string{"a"}, Steps: []seen{{Status: 503, Replies: []string{"HIT u"}}, {}}}, 1},
		"asked":    {outcome{Started: true, Access: []string{"a"}, Steps: []seen{{Status: 200, Replies: []string{"HIT u"}}, {Asked: []string{"p1 GET"}}}}, 1},
		"one line": {outcome{Started: true, Access: []string{"a", "b"}, Steps: []seen{{Status: 200, Replies: []string{"HIT u"}}, {}}}, 1},
	} {
		if list := differences(&c.got, &want); len(list) != c.n {
			t.Errorf("%s: %q", name, list)
		}
	}
}
