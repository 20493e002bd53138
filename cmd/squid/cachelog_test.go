package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
)

func TestCacheLogLines(t *testing.T) {
	var terminal bytes.Buffer
	l := newCacheLog(&terminal, -1)
	l.levels.Store(parseDebugOptions("ALL,1"))
	log := l.logger()
	log.Info("before the file is open")
	path := filepath.Join(t.TempDir(), "cache.log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	l.use(f)
	log.Info("Ready to serve requests.")
	log.Warn("bad\nline \x1b[31mred", zap.Int("count", 3))
	log.Debug("not shown at level 1")
	l.writeFatal("Cannot open HTTP Port")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), data)
	}
	for i, want := range []string{"Ready to serve requests.", `bad\x0aline \x1b[31mred count=3`} {
		at, err := time.ParseInLocation("2006/01/02 15:04:05| ", string(lines[i][:21]), time.Local)
		if err != nil || time.Since(at) > time.Minute || string(lines[i][21:]) != want {
			t.Errorf("line %d is %q, want a time and %q", i, lines[i], want)
		}
	}
	if string(lines[2]) != "FATAL: Cannot open HTTP Port" || string(lines[3]) != terminatedLine() {
		t.Errorf("the last lines are %q and %q", lines[2], lines[3])
	}
	if s := terminal.String(); !bytes.Contains([]byte(s), []byte("before the file")) || bytes.Contains([]byte(s), []byte("Ready")) ||
		!bytes.Contains([]byte(s), []byte("FATAL: Cannot open HTTP Port")) {
		t.Errorf("standard error got %q", s)
	}
}

// Lines of 2.6's own that a fatal text has stay lines; others cannot be made.
func TestFatalTextOfSeveralLines(t *testing.T) {
	var terminal bytes.Buffer
	newCacheLog(&terminal, -1).writeFatal("\tFailed, Check cache.log\n\tfor details.\n2026/01/01 00:00:00| forged")
	if want := "FATAL: \tFailed, Check cache.log\n\tfor details.\\x0a2026/01/01 00:00:00| forged\n" + terminatedLine() + "\n"; terminal.String() != want {
		t.Errorf("%q", terminal.String())
	}
}

func TestDebugOptions(t *testing.T) {
	for _, c := range []struct {
		words  string
		logger string
		want   int
	}{
		{"ALL,1", "forward", 1},
		{"", "forward", 1},
		{"ALL,9", "wccp2", 9},
		{"ALL,1 80,3", "wccp2", 3},
		{"ALL,1 80,3", "forward", 1},
		{"80,3 ALL,1", "wccp2", 1},
		{"ALL", "forward", 0},
		{"all,2 33,5", "forward.client", 5},
	} {
		if got := parseDebugOptions(c.words).of(c.logger); got != c.want {
			t.Errorf("debug_options %s: %s logs at level %d, want %d", c.words, c.logger, got, c.want)
		}
	}
}

// A FIFO whose reader stalls holds nobody up; what was lost meanwhile is counted.
func TestCacheLogIntoAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	f, err := (*privsep.Monitor)(nil).OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l := newCacheLog(io.Discard, -1)
	l.levels.Store(parseDebugOptions("ALL,1"))
	l.use(f)
	log := l.logger()
	const written = 5000
	for range written { // many times what a pipe holds
		log.Info(strings.Repeat("x", 100))
	}
	read := func() string {
		text := make([]byte, 1<<20)
		n, err := reader.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(text[:n])
	}
	arrived := strings.Count(read(), "\n")
	log.Info("after the stall")
	want := fmt.Sprintf("WARNING: %d lines of cache.log were lost: nobody read them\n", written-arrived)
	if got := read(); arrived == 0 || arrived == written || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "| after the stall\n") {
		t.Errorf("%d lines arrived, then %q, want %q first", arrived, got, want)
	}
}
