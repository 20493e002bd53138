package sock

import (
	"io"
	"time"
)

// Stream is a connection whose bytes may be changed on their way, by TLS; a Conn
// is one whose bytes are not. The rules for its use are Conn's.
type Stream interface {
	io.ReadWriteCloser
	// ReadUntil and WriteUntil set the times after which reads and writes end
	// with ErrTimeout.
	ReadUntil(time.Time)
	WriteUntil(time.Time)
	// CloseRead and CloseWrite end one direction.
	CloseRead() error
	CloseWrite() error
	// Abort makes every read and write, running or to come, return ErrAborted.
	Abort()
	// Interrupt makes a read that waits, or the next one that would, return
	// ErrInterrupted, once.
	Interrupt()
	// Uninterrupt takes an Interrupt back that no read has met.
	Uninterrupt()
	// Bare is the socket when what is read from and written to the stream is
	// what passes through it, else nil.
	Bare() *Conn
}

// Bare implements Stream: a Conn is its own socket.
func (c *Conn) Bare() *Conn { return c }
