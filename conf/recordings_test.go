package conf

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const recordings = "../testdata/conf/"

// recording is one case of testdata/conf/recordings.
type recording struct {
	Name         string
	Conf         string
	Exit         int
	Blamed       int
	Unrecognized []int
	Messages     []string
	Mark         string
	group        string
}

// latin1 turns characters 0 to 255 back into bytes.
func latin1(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func readGroup(t testing.TB, path string, line func([]byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		line(s.Bytes())
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

func readRecordings(t testing.TB) []recording {
	t.Helper()
	files, _ := filepath.Glob(recordings + "recordings/*.jsonl.gz")
	var list []recording
	for _, f := range files {
		group := strings.TrimSuffix(filepath.Base(f), ".jsonl.gz")
		if strings.HasPrefix(group, "lists-") {
			continue
		}
		readGroup(t, f, func(b []byte) {
			r := recording{group: group}
			if err := json.Unmarshal(b, &r); err != nil {
				t.Fatal(err)
			}
			list = append(list, r)
		})
	}
	if len(list) < 1700 {
		t.Fatalf("only %d recordings", len(list))
	}
	return list
}

// oracleWorld is the world the recordings were made in.
type oracleWorld struct {
	Offline
	lists map[string][]byte
}

func newOracleWorld(t testing.TB, group string) oracleWorld {
	which := "focused"
	if group == "real" {
		which = "real"
	}
	w := oracleWorld{}
	readGroup(t, recordings+"recordings/lists-"+which+".jsonl.gz", func(b []byte) {
		var files map[string]string
		if err := json.Unmarshal(b, &files); err != nil {
			t.Fatal(err)
		}
		w = w.with(files)
	})
	return w
}

// oracle is the world of the focused recordings, read once.
func oracle(t testing.TB) oracleWorld {
	focusedOnce.Do(func() { focused = newOracleWorld(t, "focused") })
	return focused
}

var (
	focusedOnce sync.Once
	focused     oracleWorld
)

// with is the world with more list files.
func (w oracleWorld) with(files map[string]string) oracleWorld {
	more := oracleWorld{lists: maps.Clone(w.lists)}
	if more.lists == nil {
		more.lists = map[string][]byte{}
	}
	for name, text := range files {
		more.lists["lists/"+name] = latin1(text)
	}
	return more
}

func (w oracleWorld) Open(name string) (io.ReadCloser, error) {
	if b, ok := w.lists[name]; ok {
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	if name == "/etc/passwd" || name == "/dev/null" || name == "/etc" {
		return w.Offline.Open(name)
	}
	return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
}

func (oracleWorld) Stat(string) error { return nil }
func (oracleWorld) Root() bool        { return true }
func (oracleWorld) Hostname() (string, string) {
	return "cache.oracle.test", "cache.oracle.test"
}
func (oracleWorld) NameOf(a netip.Addr) string {
	return map[string]string{"127.0.0.1": "localhost", "192.0.2.10": "one.oracle.test", "192.0.2.20": "two.oracle.test",
		"192.0.2.21": "two.oracle.test", "192.0.2.1": "router.oracle.test"}[a.String()]
}
func (oracleWorld) Addresses(name string) []netip.Addr {
	var list []netip.Addr
	for _, s := range map[string][]string{"localhost": {"127.0.0.1"}, "cache.oracle.test": {"127.0.0.1"}, "cache": {"127.0.0.1"},
		"one.oracle.test": {"192.0.2.10"}, "two.oracle.test": {"192.0.2.20", "192.0.2.21"}, "router.oracle.test": {"192.0.2.1"}}[strings.ToLower(name)] {
		list = append(list, netip.MustParseAddr(s))
	}
	return list
}
func (oracleWorld) UserExists(name string) bool {
	return slices.Contains([]string{"root", "daemon", "proxy", "squid", "_squid", "www-data", "nobody"}, name)
}
func (oracleWorld) GroupExists(name string) bool {
	return slices.Contains([]string{"root", "daemon", "proxy", "squid", "_squid", "www-data", "winbindd_priv", "nogroup", "nobody"}, name)
}

var (
	bungledLine = regexp.MustCompile(`^FATAL: Bungled \S+ line (\d+): `)
	unknownLine = regexp.MustCompile(`^<T> parseConfigFile: line (\d+) unrecognized: `)
	pathLine    = regexp.MustCompile(`^WARNING: (.+) (\S+): \(\d+\) (.*)$`)
	versionText = regexp.MustCompile(`\(Version [^)]*\)`)
)

// observe brings a report into the form of the recordings.
func observe(r *Report) (messages []string, blamed int, unknown []int) {
	for _, l := range r.Lines {
		for _, text := range strings.Split(l.Text, "\n") {
			text = strings.TrimSuffix(text, "\r")
			if strings.TrimSpace(text) == "" || !l.Stamped && pathLine.MatchString(text) {
				continue
			}
			if l.Stamped {
				text = "<T> " + text
			}
			text = versionText.ReplaceAllString(text, "(Version <V>)")
			if m := bungledLine.FindStringSubmatch(text); m != nil {
				fmt.Sscan(m[1], &blamed)
			}
			if m := unknownLine.FindStringSubmatch(text); m != nil {
				var n int
				fmt.Sscan(m[1], &n)
				unknown = append(unknown, n)
			}
			messages = append(messages, escapeInvalid(text))
		}
	}
	return messages, blamed, unknown
}

// escapeInvalid writes bytes that are no UTF-8 as the recordings do.
func escapeInvalid(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == '\ufffd' && !strings.HasPrefix(s[i:], "\ufffd") {
			fmt.Fprintf(&b, "\\udc%02x", s[i])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// readReasons reads a file of names with reasons.
func readReasons(t testing.TB, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(recordings + name)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		key, reason, ok := strings.Cut(line, " ")
		if !ok || len(reason) < 20 {
			t.Errorf("%s: %q has no reason", name, line)
		}
		m[key] = reason
	}
	return m
}

// TestRecordings compares every recording with what Load says: verdict and exit
// status, the lines blamed, and the messages.
func TestRecordings(t *testing.T) {
	differ := readReasons(t, "differences")
	worlds := map[string]oracleWorld{}
	var compared, marked, verdict, lines, messages int
	for _, rec := range readRecordings(t) {
		w, ok := worlds[rec.group]
		if !ok {
			w = newOracleWorld(t, rec.group)
			worlds[rec.group] = w
		}
		_, report := LoadText("squid.conf", latin1(rec.Conf), Options{World: w})
		got, blamed, unknown := observe(report)
		a := (report.Exit == 0) == (rec.Exit == 0)
		if rec.Mark != "" {
			if marked++; rec.Mark == "build" && report.Exit == 0 {
				t.Errorf("%s: 2.6 does not survive this file; it must be refused", rec.Name)
			}
			if rec.Mark == "extension" && rec.group != "real" {
				_, argued := differ[rec.Name]
				delete(differ, rec.Name)
				if refused := report.Exit != 0; refused != argued {
					t.Errorf("%s: an extension, exit %d, and argued: %v", rec.Name, report.Exit, argued)
				}
			}
			continue
		}
		compared++
		b := a && blamed == rec.Blamed && slices.Equal(unknown, rec.Unrecognized)
		c := b && slices.Equal(got, rec.Messages)
		if a {
			verdict++
		}
		if b {
			lines++
		}
		if c {
			messages++
		}
		_, argued := differ[rec.Name]
		delete(differ, rec.Name)
		switch same := c && report.Exit == rec.Exit; {
		case argued && same:
			t.Errorf("%s is listed as a difference and is none", rec.Name)
		case !argued && !same:
			t.Errorf("%s: exit %d, recorded %d; lines %v, recorded %v\n got  %q\n want %q", rec.Name, report.Exit, rec.Exit,
				append([]int{blamed}, unknown...), append([]int{rec.Blamed}, rec.Unrecognized...), got, rec.Messages)
		}
	}
	for name := range differ {
		t.Errorf("difference %s names no recording", name)
	}
	t.Logf("%d cases compared, %d marked ones apart: verdict %d, lines %d, messages %d", compared, marked, verdict, lines, messages)
}
