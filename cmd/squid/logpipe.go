package main

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/report"
)

// lossyFile is cache.log on a disk that may be full: what cannot be written is lost,
// counted, and the count written when there is room again.
type lossyFile struct {
	lost int
	why  error // of the first line lost
	torn bool  // the last write ended within a line
}

// put writes a line to out.
func (l *lossyFile) put(out io.Writer, line []byte) {
	if l.lost > 0 {
		said := fmt.Appendf(nil, "WARNING: %d lines of cache.log were lost: %s\n", l.lost, report.SystemText(l.why))
		if l.torn {
			said = append([]byte{'\n'}, said...)
		}
		if n, err := out.Write(said); err == nil {
			l.lost, l.torn = 0, false
		} else if n > 0 {
			l.torn = said[n-1] != '\n'
		}
	}
	if l.lost > 0 {
		l.lost++
		return
	}
	if n, err := out.Write(line); err != nil {
		l.lost, l.why, l.torn = 1, err, n > 0
	}
}

// pipeWriter writes cache.log into a FIFO whose reader may stall, or to a terminal that
// somebody stopped. Whoever logs must
// not wait for it, a signal to end above all: what the pipe does not take at once is
// lost, counted, and the count written when there is room again.
type pipeWriter struct {
	raw  syscall.RawConn
	lost int
}

// newPipeWriter is nil for a file whose writes wait for nobody.
func newPipeWriter(f *os.File) *pipeWriter {
	info, err := f.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) == 0 {
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
