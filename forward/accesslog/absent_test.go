package accesslog

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A log that could not be opened turns out to be a FIFO: its reader, who takes nothing,
// holds nobody up.
func TestAbsentLogThatBecomesAFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "later", "fifo")
	a := &absent{path: path, opener: diskFiles{}}
	f := newFile(path, diskFiles{}, a, true, func(error) {})
	f.Write([]byte("lost\n"))
	if f.Lost() != 1 {
		t.Errorf("%d lines lost", f.Lost())
	}
	os.Mkdir(filepath.Dir(path), 0o755)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	f.mu.Lock()
	a.next = time.Time{}
	f.mu.Unlock()
	line := append(bytes.Repeat([]byte{'x'}, 1023), '\n')
	written := make(chan struct{})
	go func() {
		defer close(written)
		for range 200 { // a pipe holds 64 of them
			f.Write(line)
		}
	}()
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Fatal("a reader that takes nothing holds writers up")
	}
	head := make([]byte, len(line))
	if _, err := reader.Read(head); err != nil || !bytes.Equal(head, line) {
		t.Errorf("the reader has %.20q (%v)", head, err)
	}
	f.Close() // its reader takes no more
}
