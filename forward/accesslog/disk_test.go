package accesslog

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestDiskWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := diskFiles{}.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	out := onDisk(file, true)
	if _, quick := out.(*disk); !quick {
		t.Fatalf("a regular file is written by %T", out)
	}
	want := ""
	for _, line := range []string{"one\n", "", "two\n"} {
		if n, err := out.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("%q: %d, %v", line, n, err)
		}
		want += line
	}
	out.(*disk).wary = 1 // a disk that is behind
	out.Write([]byte("three\n"))
	if got, _ := os.ReadFile(path); string(got) != want+"three\n" {
		t.Errorf("the log has %q", got)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	if _, err := out.Write([]byte("late\n")); err == nil {
		t.Error("writing to a closed log is no error")
	}
}

func TestDiskErrorsNameTheFile(t *testing.T) {
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := onDisk(file, true)
	defer out.Close()
	_, err = out.Write([]byte("line\n"))
	var path *os.PathError
	if !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &path) || path.Path != "/dev/full" {
		t.Errorf("the error is %v", err)
	}
}
