package sock

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mostPieces is how many pieces of memory go out in one system call.
const mostPieces = 64

// pieces is the rest of what is gathered from memory into one write.
type pieces struct {
	list [][]byte
	from int // of list[0]
}

// WritePieces writes all pieces in order, by writev(2), waiting until the time set
// by WriteUntil.
func (c *Conn) WritePieces(list [][]byte) (n int64, err error) {
	p := pieces{list: list}
	return c.writePieces(&p)
}

func (c *Conn) writePieces(p *pieces) (n int64, err error) {
	for {
		var fault error
		wait := c.raw.Write(func(fd uintptr) bool {
			var m int64
			m, fault = p.write(int(fd))
			n += m
			return fault != errAgain
		})
		if wait == nil {
			return n, fault
		}
		if again, over := c.overWriting(wait); !again {
			return n, over
		}
	}
}

// WritePieces is Write for pieces of memory, by writev(2).
func (t *Turn) WritePieces(list [][]byte) (n int64, err error) {
	p := pieces{list: list}
	if n, err = p.write(t.fd); err != errAgain {
		return n, err
	}
	m, err := t.c.WritePieces(p.rest())
	return n + m, err
}

// rest is what is left, as pieces of its own.
func (p *pieces) rest() [][]byte {
	left := append([][]byte(nil), p.list...)
	if len(left) > 0 {
		left[0] = left[0][p.from:]
	}
	return left
}

// write writes what can be written now; EAGAIN with what went out when the socket's
// buffer is full.
func (p *pieces) write(fd int) (n int64, err error) {
	var vec [mostPieces]unix.Iovec
	for {
		count := 0
		for i, from := 0, p.from; i < len(p.list) && count < len(vec); i, from = i+1, 0 {
			if piece := p.list[i][from:]; len(piece) > 0 {
				vec[count].Base = &piece[0]
				vec[count].SetLen(len(piece))
				count++
			}
		}
		if count == 0 {
			return n, nil
		}
		msg := unix.Msghdr{Iov: &vec[0]}
		msg.SetIovlen(count)
		m, _, e := syscall.RawSyscall6(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_NOSIGNAL, 0, 0, 0)
		switch {
		case e == 0:
			n += int64(m)
			p.take(int(m))
		case e == unix.EAGAIN:
			return n, errAgain
		case e != unix.EINTR:
			return n, e
		}
	}
}

// take forgets the first n bytes.
func (p *pieces) take(n int) {
	for n > 0 {
		here := len(p.list[0]) - p.from
		if n < here {
			p.from += n
			return
		}
		n -= here
		p.list, p.from = p.list[1:], 0
	}
}
