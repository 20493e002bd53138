package conf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipeWait is how long a pipe may be silent.
const pipeWait = 10 * time.Second

// OpenFile opens a configuration or list file so that reading it comes to an end: see EndingFile.
func OpenFile(name string) (io.ReadCloser, error) {
	// Without O_NONBLOCK the open of a pipe waits for somebody to write.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return EndingFile(f)
}

// EndingFile takes over an open file. Pipes are read (squid -f <(make-config) and
// /dev/stdin), with an error when nobody writes for a while; devices are refused but
// for /dev/null. Folders give the error of their first read, as 2.6 has it.
func EndingFile(f *os.File) (io.ReadCloser, error) {
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode.IsDir(), isNull(info):
		return f, nil
	case mode&os.ModeNamedPipe != 0:
		return &pipe{File: f, wait: pipeWait}, nil
	}
	f.Close()
	return nil, errors.New("it is a device, not a file")
}

// isNull reports whether a file is /dev/null, under whatever name.
func isNull(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode()&os.ModeCharDevice != 0 && st.Rdev == unix.Mkdev(1, 3)
}

// pipe reads until every writer has closed it.
type pipe struct {
	*os.File
	wait time.Duration
	some bool
}

func (p *pipe) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.wait)); err != nil {
		return 0, err
	}
	n, err := p.File.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("nothing came through the pipe for %v", p.wait)
	case err == io.EOF && !p.some:
		err = errors.New("it is a pipe and nobody writes to it")
	}
	p.some = p.some || n > 0
	return n, err
}
