package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is in the page cache is told from what is not, as the kernel counts it and by
// probing; a range that was warmed is there.
func TestCachedRanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "object")
	const size = 300_000
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	ranges := [][2]int64{{0, 1}, {0, size}, {4095, 2}, {5000, 70_000}, {size - 1, 1}}
	for _, r := range ranges {
		if !cachedRange(fd, r[0], r[1]) || !probedRange(fd, r[0], r[1]) {
			t.Errorf("%v was just written", r)
		}
	}
	f.Sync()
	if err := unix.Fadvise(fd, 0, size, unix.FADV_DONTNEED); err != nil {
		t.Skip(err)
	}
	if cachedRange(fd, 0, 1) {
		t.Skip("the file system keeps its pages, or the kernel does not count them")
	}
	for _, r := range ranges {
		if cachedRange(fd, r[0], r[1]) {
			t.Errorf("%v was dropped", r)
		}
	}
	s := open(t, memoryOnly())
	d := &disk{}
	file := &openFile{d: d, s: s, file: f, fd: fd, size: size}
	if err := file.warm(context.Background(), 5000, 70_000); err != nil {
		t.Fatal(err)
	}
	if !cachedRange(fd, 5000, 70_000) {
		t.Error("a range that was warmed is not there")
	}
}

// readAt fills what it is asked for or says why not.
func TestReadAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "object")
	if err := os.WriteFile(path, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, cached := range []bool{false, true} {
		b := make([]byte, 4)
		if err := readAt(f, b, 3, cached); err != nil || string(b) != "3456" {
			t.Errorf("%q, %v", b, err)
		}
		if err := readAt(f, b, 8, cached); !errors.Is(err, ErrSwapFail) {
			t.Errorf("behind the end: %v", err)
		}
	}
}
