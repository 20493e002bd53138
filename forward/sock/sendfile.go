package sock

import (
	"io"

	"golang.org/x/sys/unix"
)

// FileError is an error of the file that was to be sent.
type FileError struct{ Err error }

// Error implements error.
func (e *FileError) Error() string { return "sending a file: " + e.Err.Error() }

// Unwrap is the error of the file.
func (e *FileError) Unwrap() error { return e.Err }

// SendFile sends n bytes of a file, from an offset on, to a stream: by sendfile(2)
// where that is a bare socket. The file's own position is neither used nor moved. It
// waits until the time set by WriteUntil. A FileError is the file's: io.ErrUnexpectedEOF
// in it says that the file is shorter.
func SendFile(to Stream, fd int, offset, n int64) (sent int64, err error) {
	c := to.Bare()
	if c == nil {
		return copyFile(to, fd, offset, n)
	}
	for {
		var fault error
		wait := c.raw.Write(func(socket uintptr) bool {
			for sent < n {
				at := offset + sent
				m, err := unix.Sendfile(int(socket), fd, &at, int(min(n-sent, 1<<30)))
				switch {
				case err == unix.EINTR:
				case err == unix.EAGAIN:
					return false
				case err == unix.EIO, err == unix.EINVAL:
					fault = &FileError{err}
					return true
				case err != nil:
					fault = err
					return true
				case m == 0:
					fault = &FileError{io.ErrUnexpectedEOF}
					return true
				default:
					sent += int64(m)
				}
			}
			return true
		})
		if wait == nil {
			return sent, fault
		}
		if again, over := c.overWriting(wait); !again {
			return sent, over
		}
	}
}

// copyFile is SendFile for what is no bare socket.
func copyFile(to Stream, fd int, offset, n int64) (sent int64, err error) {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for sent < n {
		m, err := unix.Pread(fd, (*buf)[:min(int64(len(*buf)), n-sent)], offset+sent)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return sent, &FileError{err}
		case m == 0:
			return sent, &FileError{io.ErrUnexpectedEOF}
		}
		m, err = to.Write((*buf)[:m])
		sent += int64(m)
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}
