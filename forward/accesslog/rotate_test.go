package accesslog

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A FIFO keeps its reader: it is neither renamed nor opened anew.
func TestFIFOIsNotRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openFile(path, diskFiles{}, nil); !errors.Is(err, syscall.ENXIO) {
		t.Fatalf("without a reader: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	f := openTest(t, path)
	f.Write([]byte("before\n"))
	if err := f.Rotate(3); err != nil {
		t.Error(err)
	}
	f.Write([]byte("after\n"))
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	lines := bufio.NewScanner(reader)
	for _, want := range []string{"before", "after"} {
		if !lines.Scan() || lines.Text() != want {
			t.Errorf("%q, want %q (%v)", lines.Text(), want, lines.Err())
		}
	}
	if size(path+".0") != -1 {
		t.Error("the FIFO was renamed")
	}
}

// The reader of a FIFO left: lines are lost and counted, the process lives.
func TestFIFOWithoutReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reports []error
	f, err := openFile(path, diskFiles{}, func(err error) { reports = append(reports, err) })
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	f.Write([]byte("lost\nlost\n"))
	f.Close()
	if f.Lost() != 2 || len(reports) != 1 || !errors.Is(reports[0], syscall.EPIPE) {
		t.Errorf("%d lines lost, %v", f.Lost(), reports)
	}
}

// noRename is a folder in which nothing may be renamed.
type noRename struct{ diskFiles }

func (noRename) Rename(string, string) error { return os.ErrPermission }

// A rename that fails is told, and the log goes on in the old file.
func TestRotationWithoutRights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := openFile(path, noRename{}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("before\n"))
	if err := f.Rotate(1); !errors.Is(err, os.ErrPermission) {
		t.Errorf("rotation: %v", err)
	}
	f.Write([]byte("after\n"))
	f.Close()
	if text, _ := os.ReadFile(path); string(text) != "before\nafter\n" {
		t.Errorf("%q", text)
	}
}

// Somebody deleted the log and its folder is there: a rotation makes it again.
func TestRotationOfADeletedLog(t *testing.T) {
	for _, keep := range []int{0, 2} {
		path := filepath.Join(t.TempDir(), "log")
		f := openTest(t, path)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		f.Write([]byte("into the deleted file\n"))
		if err := f.Rotate(keep); err != nil {
			t.Errorf("keep %d: %v", keep, err)
		}
		f.Write([]byte("new\n"))
		f.Close()
		if text, _ := os.ReadFile(path); string(text) != "new\n" {
			t.Errorf("keep %d: %q", keep, text)
		}
	}
}

// Rotate goes through every log of a configuration, each once, and Lost adds
// their losses up.
func TestAllLogsRotate(t *testing.T) {
	dir := t.TempDir()
	logs := open(t, strings.ReplaceAll("access_log {}/a squid\naccess_log {}/a common\naccess_log {}/b squid\nuseragent_log {}/c\nreferer_log none\nlogfile_rotate 2", "{}", dir))
	e := entries(t)["plain"]
	for _, l := range logs.Lines() {
		l.Write(e)
	}
	logs.Agent(e)
	if err := logs.Rotate(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		if now, old := size(filepath.Join(dir, name)), size(filepath.Join(dir, name+".0")); now != 0 || old <= 0 {
			t.Errorf("%s: %d bytes, before it %d", name, now, old)
		}
		if size(filepath.Join(dir, name+".1")) != -1 {
			t.Errorf("%s was renamed twice", name)
		}
	}
	if err := logs.Close(); err != nil {
		t.Error(err)
	}
	if logs.Lost() != 0 {
		t.Errorf("%d lines lost", logs.Lost())
	}
	for _, f := range logs.files {
		f.lost.Store(2)
	}
	if logs.Lost() != 6 {
		t.Errorf("%d lines lost of three logs that lost 2 each", logs.Lost())
	}
}

// A log that could not be opened is tried again as lines come.
func TestAbsentLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	a := &absent{path: filepath.Join(dir, "log"), opener: diskFiles{}, err: errors.New("before")}
	if _, err := a.Write([]byte("one\n")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte("two\n")); err == nil {
		t.Error("it was tried again at once")
	}
	a.next = time.Time{}
	if _, err := a.Write([]byte("three\n")); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if text, _ := os.ReadFile(a.path); string(text) != "three\n" {
		t.Errorf("%q", text)
	}
}
