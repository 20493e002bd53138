package accesslog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A line whose writer lets others add theirs when the log is closed is in the log, and
// its writer is not left with a descriptor that is another file's by then.
func TestCloseWritesWhatIsPutDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f := openTest(t, path)
	f.mu.Lock()
	f.pending = append(f.pending, "put down\n"...)
	number := f.taken
	f.mu.Unlock() // as gather does
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	f.commit(number)
	f.mu.Unlock()
	f.Write([]byte("late\n"))
	if text, _ := os.ReadFile(path); string(text) != "put down\n" {
		t.Errorf("the log has %q", text)
	}
}

func TestDiskIsNotWrittenAfterItsEnd(t *testing.T) {
	dir := t.TempDir()
	file, err := diskFiles{}.OpenLog(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	out := onDisk(file, true)
	out.Close()
	next, err := os.Create(filepath.Join(dir, "next")) // has the number
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if _, err := out.Write([]byte("late\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the error is %v", err)
	}
	if text, _ := os.ReadFile(next.Name()); len(text) > 0 {
		t.Errorf("another file has %q", text)
	}
}
