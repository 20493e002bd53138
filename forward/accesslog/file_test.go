package accesslog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openTest(t testing.TB, path string) *File {
	t.Helper()
	f, err := openFile(path, diskFiles{}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// waitFor polls until the condition holds; the test fails after ten seconds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

func size(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return st.Size()
}

// A line is in the file when Write returns.
func TestLinesAreInTheFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := openTest(t, path)
	defer f.Close()
	for i := 1; i <= 3; i++ {
		f.Write([]byte("12345678\n"))
		if n := size(path); n != int64(9*i) {
			t.Fatalf("%d bytes after %d lines", n, i)
		}
	}
}

// Writers, rotations and reopenings run at once: every line ends up in exactly
// one file, whole, and each writer's lines stay in order.
func TestNothingIsLostAcrossRotation(t *testing.T) {
	const writers, each, rotations = 8, 2000, 20
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := openTest(t, path)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				f.Write(fmt.Appendf(nil, "writer %d line %d\n", w, i))
			}
		})
	}
	for range rotations {
		if err := f.Rotate(rotations + 1); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	f.Write([]byte("after the end\n"))

	var next [writers]int
	total := 0
	for i := rotations; i >= -1; i-- {
		name := fmt.Sprintf("%s.%d", path, i)
		if i == -1 {
			name = path
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		for line := range strings.Lines(string(text)) {
			var w, n int
			if _, err := fmt.Sscanf(line, "writer %d line %d\n", &w, &n); err != nil || next[w] != n {
				t.Fatalf("%s: %q (writer %d was at %d), %v", name, line, w, next[w], err)
			}
			next[w]++
			total++
		}
	}
	if total != writers*each {
		t.Errorf("%d lines of %d", total, writers*each)
	}
}

func TestRotationNumbers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := openTest(t, path)
	for i := range 5 {
		f.Write(fmt.Appendf(nil, "%d\n", i))
		if err := f.Rotate(3); err != nil {
			t.Fatal(err)
		}
	}
	f.Write([]byte("5\n"))
	if err := f.Rotate(0); err != nil { // only opened anew
		t.Fatal(err)
	}
	f.Write([]byte("6\n"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"log": "5\n6\n", "log.0": "4\n", "log.1": "3\n", "log.2": "2\n", "log.3": "(none)"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			got = []byte("(none)")
		}
		if string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Someone renamed the file; the signal makes a new one.
func TestReopenAfterRename(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f := openTest(t, path)
	f.Write([]byte("old\n"))
	f.Flush()
	if err := os.Rename(path, path+".mine"); err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("still old\n"))
	if err := f.Rotate(0); err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("new\n"))
	f.Close()
	old, _ := os.ReadFile(path + ".mine")
	fresh, _ := os.ReadFile(path)
	if string(old) != "old\nstill old\n" || string(fresh) != "new\n" {
		t.Errorf("%q %q", old, fresh)
	}
}

// brokenOpener cannot open anything any more.
type brokenOpener struct{ diskFiles }

func (brokenOpener) OpenLog(string) (*os.File, error) { return nil, os.ErrPermission }

func TestRotationThatCannotOpenKeepsLogging(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := openTest(t, path)
	f.Write([]byte("1\n"))
	f.opener = brokenOpener{}
	if err := f.Rotate(0); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v", err)
	}
	f.Write([]byte("2\n"))
	f.Close()
	if got, _ := os.ReadFile(path); string(got) != "1\n2\n" {
		t.Errorf("%q", got)
	}
}

// fullDisk refuses writes while full is set.
type fullDisk struct {
	full    bool
	written strings.Builder
}

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.full {
		return 0, errors.New("no space left on device")
	}
	return d.written.Write(b)
}

func (d *fullDisk) Close() error { return nil }

// A disk that refuses lines is told of once, and once more when it takes some again,
// with how many are missing.
func TestFullDiskIsReportedAndItsEnd(t *testing.T) {
	var reports []string
	disk := &fullDisk{full: true}
	f := onto(disk, func(err error) { reports = append(reports, err.Error()) })
	for range 3 {
		f.Write([]byte("lost\nlost\n"))
	}
	disk.full = false
	f.Write([]byte("kept\n"))
	disk.full = true
	f.Write([]byte("lost\n"))
	disk.full = false
	f.Write([]byte("kept\n"))
	f.Close()
	want := []string{
		"writing log log: no space left on device; lines are lost until it works again", "log log works again; 6 lines were lost",
		"writing log log: no space left on device; lines are lost until it works again", "log log works again; 1 lines were lost",
	}
	if !slices.Equal(reports, want) || f.Lost() != 7 || disk.written.String() != "kept\nkept\n" {
		t.Errorf("%q, %d lost, %q", reports, f.Lost(), disk.written.String())
	}
}

func TestOpenErrorsNameTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "such", "dir", "log")
	if _, err := openFile(path, diskFiles{}, nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// Lines with the same path share one file; a line break in a value does not
// make two lines of one.
func TestOneFilePerPath(t *testing.T) {
	dir := t.TempDir()
	logs := open(t, fmt.Sprintf("access_log %[1]s/a squid\naccess_log %[1]s/a squid\nlogformat raw %%'{X}>h\naccess_log %[1]s/b raw", dir))
	if len(logs.files) != 2 {
		t.Errorf("%d files", len(logs.files))
	}
	e := entries(t)["plain"]
	e.URL = []byte("a\nb")
	for _, l := range logs.Lines() {
		l.Write(e)
	}
	if got := drain(t, logs, dir); strings.Count(got, "\n") != 3 {
		t.Errorf("%q", got)
	}
	logs.Close()
}

// No format shows a password that came in a request.
func TestNoPasswordIsLogged(t *testing.T) {
	dir := t.TempDir()
	logs := open(t, fmt.Sprintf("logformat odd %%>h %%{proxy-Authorization}>h %%{Authorization:Basic am9lOnB3}>h\nlog_mime_hdrs on\naccess_log %[1]s/a squid\naccess_log %[1]s/b odd", dir))
	e := entries(t)["plain"]
	f := fields(t, "Proxy-Authorization: Basic am9lOnB3\r\nAuthorization: Basic am9lOnB3\r\n")
	e.Request, e.RequestFields = f, f.AppendLogged(nil)
	for _, l := range logs.Lines() {
		l.Write(e)
	}
	if got := drain(t, logs, dir); strings.Contains(got, "am9lOnB3") || strings.Count(got, "***") != 5 {
		t.Errorf("%q", got)
	}
	logs.Close()
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	logs := open(t, fmt.Sprintf("access_log %[1]s/a squid\naccess_log %[1]s/b common\nlogformat mine %%>a [%%tl] %%{User-Agent}>h %%{Cookie:;b}>h %%6tr %%ru %%<st\naccess_log %[1]s/c mine", t.TempDir()))
	defer logs.Close()
	for _, l := range logs.Lines() {
		e := entries(t)["plain"]
		l.Write(e)
		logs.Flush()
		if n := testing.AllocsPerRun(50, func() { l.Write(e) }); n > 0 {
			t.Errorf("%s: %v allocations a line", l.Conf.Path, n)
		}
	}
}

func BenchmarkNative(b *testing.B) {
	logs := open(b, "access_log "+b.TempDir()+"/a squid")
	defer logs.Close()
	line, proto := logs.Lines()[0], entries(b)["plain"]
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := *proto
		for pb.Next() {
			line.Write(&e)
		}
	})
}
