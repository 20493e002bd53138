package main

import (
	"fmt"
	"os"
	"syscall"
)

// pipeWriter writes cache.log into a FIFO whose reader may stall. Whoever logs must
// not wait for it, a signal to end above all: what the pipe does not take at once is
// lost, counted, and the count written when there is room again.
type pipeWriter struct {
	raw  syscall.RawConn
	lost int
}

// newPipeWriter is nil for a file that is no FIFO.
func newPipeWriter(f *os.File) *pipeWriter {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	return &pipeWriter{raw: raw}
}

func (p *pipeWriter) put(line []byte) {
	if p.lost > 0 && p.write(fmt.Appendf(nil, "WARNING: %d lines of cache.log were lost: nobody read them\n", p.lost)) {
		p.lost = 0
	}
	if p.lost > 0 || !p.write(line) {
		p.lost++
	}
}

// write reports whether the pipe took the whole line. Lines of up to 4096 octets are
// taken whole or not at all.
func (p *pipeWriter) write(line []byte) bool {
	n := 0
	p.raw.Write(func(fd uintptr) bool {
		n, _ = syscall.Write(int(fd), line)
		return true // without waiting
	})
	return n == len(line)
}
