package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	recordings = flag.Bool("recordings", false, "play every recording through the real binary")
	only       = flag.String("only", "", "play only scenarios of these names or areas")
)

const data = "../../testdata/exchange"

// TestRecordings plays the recordings of Squid 2.6 through the binary as it is
// shipped (CGO off). Every scenario that is neither of a later feature nor a
// difference we keep must reach grade 3.
func TestRecordings(t *testing.T) {
	if !*recordings {
		t.Skip("played without the race detector, by `make exchange`")
	}
	var patterns []string
	if *only != "" {
		patterns = strings.Split(*only, ",")
	}
	all, err := loadScenarios([]string{data}, patterns)
	if err != nil {
		t.Fatal(err)
	}
	// The test's own folder is closed to the user the proxy becomes.
	scratch, err := os.MkdirTemp("", "recordings-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		t.Fatal(err)
	}
	results, err := run(settings{bin: buildProxy(t), jobs: 2 * runtime.NumCPU(), group: 10, portBase: 21000, portCount: 2000,
		scratch: scratch, startTimeout: 20 * time.Second}, all)
	if err != nil {
		t.Fatal(err)
	}
	later, kept := readLater(t), readKept(t)
	var counted, waiting []result
	for _, r := range results {
		if feature := later.of(r.sc.id()); feature != "" {
			waiting = append(waiting, r)
			continue
		}
		counted = append(counted, r)
		want, reason := 3, ""
		if k, isKept := kept[r.sc.id()]; isKept {
			want, reason = k.grade, k.reason
		}
		switch {
		case !r.sc.required():
		case r.grade < want:
			t.Errorf("%s", r.describe(8))
		case reason != "" && r.grade > want:
			t.Errorf("%s reaches grade %d: kept.txt says %d (%s)", r.sc.id(), r.grade, want, reason)
		}
	}
	t.Logf("counted:\n%s", table(counted))
	t.Logf("waiting for later features:\n%s", table(waiting))
}

// buildProxy builds the binary under test.
func buildProxy(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "squid")
	cmd := exec.Command("go", "build", "-o", bin, "../squid")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the proxy: %v\n%s", err, out)
	}
	return bin
}

// laterList is later.txt: patterns with the feature each waits for.
type laterList [][2]string

func (l laterList) of(id string) string {
	for _, entry := range l {
		if ok, _ := path.Match(entry[0], id); ok {
			return entry[1]
		}
	}
	return ""
}

func readLater(t *testing.T) (list laterList) {
	t.Helper()
	for _, f := range readTable(t, "later.txt", 2) {
		list = append(list, [2]string{f[0], f[1]})
	}
	return list
}

type keptDifference struct {
	grade  int
	reason string
}

func readKept(t *testing.T) map[string]keptDifference {
	t.Helper()
	kept := map[string]keptDifference{}
	for _, f := range readTable(t, "kept.txt", 3) {
		var k keptDifference
		if _, err := fmt.Sscan(f[1], &k.grade); err != nil {
			t.Fatalf("kept.txt: %q is no grade", f[1])
		}
		k.reason = f[2]
		kept[f[0]] = k
	}
	return kept
}

// readTable reads lines of tab-separated fields; # begins a comment line.
func readTable(t *testing.T, name string, fields int) (rows [][]string) {
	t.Helper()
	f, err := os.Open(filepath.Join(data, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if line := in.Text(); line != "" && line[0] != '#' {
			row := strings.Split(line, "\t")
			if len(row) != fields {
				t.Fatalf("%s: %q has %d fields, want %d", name, line, len(row), fields)
			}
			rows = append(rows, row)
		}
	}
	return rows
}
