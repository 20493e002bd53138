// Command tally reads the output of `go test -json` and prints what a person
// wants of it: one line a package, the whole output of what failed, every
// skipped test with its reason, and the totals on the last line.
//
//	go test -json ./... | tally [-strict] [-show TEST]
//
// With -strict a skipped test counts as a failure, except for the reasons in
// excused.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// excused are the reasons for which a test may be skipped in continuous
// integration: what the race detector disturbs runs again without it, and no
// test can bring a driver the kernel does not have.
var excused = []string{"race detector", "kernel has no GRE"}

func main() {
	strict := flag.Bool("strict", false, "count skipped tests as failures")
	show := flag.String("show", "", "print the output of this test although it passed")
	flag.Parse()
	t := &tally{out: os.Stdout, show: *show, lines: map[string][]string{}}
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	if !t.good(*strict) {
		os.Exit(1)
	}
}

// event is one line of `go test -json`.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
	FailedBuild                   string
}

// tally collects what has been read so far.
type tally struct {
	out                     io.Writer
	show                    string
	lines                   map[string][]string // output by package and test
	passed, failed, skipped int
	broken                  int // packages that failed
	refused                 int // skipped tests that -strict counts
}

func (t *tally) read(r io.Reader) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			fmt.Fprintln(t.out, in.Text()) // a message of the go command itself
			continue
		}
		t.take(e)
	}
	return in.Err()
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.lines[key] = append(t.lines[key], e.Output)
		return
	case "build-output":
		fmt.Fprint(t.out, e.Output)
		return
	case "pass", "fail", "skip":
	default:
		return
	}
	if e.Test == "" {
		t.endPackage(e, key)
		return
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.failed++
		fmt.Fprintf(t.out, "FAIL %s %s\n%s", e.Package, e.Test, strings.Join(t.lines[key], ""))
	case "skip":
		t.skipped++
		text := strings.Join(t.lines[key], "")
		if !slices.ContainsFunc(excused, func(r string) bool { return strings.Contains(text, r) }) {
			t.refused++
		}
		fmt.Fprintf(t.out, "SKIP %s %s: %s\n", e.Package, e.Test, reason(t.lines[key]))
	}
	if e.Action == "pass" && t.show != "" && e.Test == t.show {
		fmt.Fprint(t.out, strings.Join(t.lines[key], ""))
	}
	delete(t.lines, key)
}

func (t *tally) endPackage(e event, key string) {
	switch e.Action {
	case "fail":
		t.broken++
		fmt.Fprintf(t.out, "FAIL %s\n%s", e.Package, strings.Join(t.lines[key], ""))
	case "pass":
		fmt.Fprintf(t.out, "ok   %s %.1f s\n", strings.TrimPrefix(e.Package, "github.com/cuttle-proxy/"), e.Elapsed)
	}
	delete(t.lines, key)
}

// reason is the line in which a test says why it was skipped.
func reason(lines []string) string {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "===") && !strings.HasPrefix(l, "---") {
			return l
		}
	}
	return "no reason given"
}

func (t *tally) good(strict bool) bool {
	good := t.failed == 0 && t.broken == 0 && t.passed+t.skipped > 0 && (!strict || t.refused == 0)
	word := "PASS"
	if !good {
		word = "FAIL"
	}
	fmt.Fprintf(t.out, "%s: %d passed, %d failed, %d skipped\n", word, t.passed, t.failed, t.skipped)
	return good
}
