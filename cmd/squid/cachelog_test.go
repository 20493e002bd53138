package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
)

func TestCacheLogLines(t *testing.T) {
	var terminal bytes.Buffer
	l := newCacheLog(&terminal, -1)
	l.setLevels(parseDebugOptions("ALL,1"))
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
	l.setLevels(parseDebugOptions("ALL,1"))
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

// notices stands for the system's log.
type notices struct {
	lines  []string
	closed bool
}

func (n *notices) Warning(text string) error { n.lines = append(n.lines, "warning: "+text); return nil }
func (n *notices) Notice(text string) error  { n.lines = append(n.lines, "notice: "+text); return nil }
func (n *notices) Close() error              { n.closed = true; return nil }

// Without a file syslog takes what matters, until there is one; a syslog that was asked
// for stays.
func TestSyslogStandsIn(t *testing.T) {
	for _, asked := range []bool{false, true} {
		sys := &notices{}
		l := newCacheLog(io.Discard, -1)
		l.setLevels(parseDebugOptions("ALL,2"))
		l.syslog, l.standsIn = sys, !asked
		log := l.logger()
		log.Warn("no file")
		log.Info("serving")
		log.Debug("a detail")
		if want := []string{"warning: no file", "notice: serving"}; !slices.Equal(sys.lines, want) {
			t.Errorf("%q, want %q", sys.lines, want)
		}
		f, err := os.Create(filepath.Join(t.TempDir(), "cache.log"))
		if err != nil {
			t.Fatal(err)
		}
		l.use(f)
		log.Info("in the file")
		if stays := len(sys.lines) == 3; stays != asked || sys.closed == asked {
			t.Errorf("asked for %v: %q, closed %v", asked, sys.lines, sys.closed)
		}
	}
}

// A daemon whose cache.log cannot be opened says so, serves, and tries again.
func TestCacheLogThatCannotBeOpened(t *testing.T) {
	s := newSubject(t)
	text, _ := os.ReadFile(s.conf())
	os.WriteFile(s.conf(), []byte(strings.ReplaceAll(string(text), "cache_log "+s.dir, "cache_log "+s.in("later"))), 0o600)
	if status, out := s.run("-k", "check-config"); status != 0 || !strings.Contains(out, "warn file: cache_log "+s.in("later")+" cannot be written") {
		t.Errorf("check-config: %d\n%s", status, out)
	}
	status, out := s.run("-D")
	if status != 0 || !strings.Contains(out, "WARNING: Cannot write log file: "+s.in("later/cache.log")) || !s.answers() {
		t.Errorf("status %d\n%s", status, out)
	}
	if err := os.Mkdir(s.in("later"), 0o777); err != nil {
		t.Fatal(err)
	}
	os.Chmod(s.in("later"), 0o777)
	s.until("it is tried again", func() bool { return strings.Contains(s.read("later/cache.log"), "works again") })
	s.until("the streams go there", func() bool {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/2", s.pid()))
		return err == nil && to == s.in("later/cache.log")
	})
}

// A FIFO or a device as cache.log keeps its name at a rotation, as with 2.6, also in a
// folder where only the monitor could rename.
func TestRotationLeavesPipesAndDevices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a device")
	}
	for kind, mode := range map[string]uint32{"FIFO": syscall.S_IFIFO, "device": syscall.S_IFCHR} {
		s := newSubject(t)
		path := s.in("cache.log")
		if err := syscall.Mknod(path, mode|0o666, 1<<8|3); err != nil { // as a device /dev/null
			t.Skip(err)
		}
		os.Chmod(path, 0o666)
		if mode == syscall.S_IFIFO {
			reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
		}
		if status, out := s.run("-D"); status != 0 {
			t.Fatalf("status %d: %s", status, out)
		}
		if status, out := s.run("-k", "rotate"); status != 0 {
			t.Errorf("-k rotate: %d %q", status, out)
		}
		s.until("the others are rotated", func() bool { _, err := os.Stat(s.in("access.log.0")); return err == nil })
		s.run("-k", "reconfigure") // waits until the rotation is over
		if info, err := os.Lstat(path); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s: %v %v", kind, info, err)
		}
		s.run("-k", "kill")
	}
}

// limited is a disk with room for so many octets.
type limited struct {
	bytes.Buffer
	room int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.room)
	l.room -= n
	l.Buffer.Write(b[:n])
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// Lines that a full disk does not take are counted, and the count is written when there
// is room again, on a line of its own.
func TestCacheLogOnAFullDisk(t *testing.T) {
	const line = "a line of cache.log\n"
	for room, want := range map[int]string{
		len(line):      line + "WARNING: 2 lines of cache.log were lost: (28) No space left on device\n" + line,
		len(line) + 5:  line + "a lin\nWARNING: 2 lines of cache.log were lost: (28) No space left on device\n" + line,
		len(line) + 12: line + "a line of ca\nWARNING: 2 lines of cache.log were lost: (28) No space left on device\n" + line,
	} {
		disk, loss := &limited{room: room}, lossyFile{}
		for range 3 {
			loss.put(disk, []byte(line))
		}
		disk.room = 1000
		loss.put(disk, []byte(line))
		if got := disk.String(); got != want {
			t.Errorf("room for %d:\n%q, want\n%q", room, got, want)
		}
	}
}

// A terminal that was stopped (Ctrl-S) holds nobody up.
func TestCacheLogOnAStoppedTerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	var n int
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err != nil {
		t.Skip(err)
	}
	f, err := (*privsep.Monitor)(nil).OpenLog(fmt.Sprintf("/dev/pts/%d", n))
	if err != nil {
		t.Skip(err)
	}
	l := newCacheLog(io.Discard, -1)
	l.levels.Store(parseDebugOptions("ALL,1"))
	l.use(f)
	for range 5000 { // nobody reads the other side
		l.logger().Info(strings.Repeat("x", 100))
	}
	if l.pipe == nil || l.pipe.lost == 0 {
		t.Error("nothing was lost, so that this shows nothing")
	}
}
