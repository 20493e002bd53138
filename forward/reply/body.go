package reply

import (
	"io"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Body is a reply's body on its way to a client.
type Body interface {
	// Next gives the bytes that follow, at most so many of them; they are valid until
	// the next call. With wait it waits for the first of them, without it gives what
	// is there, which may be nothing. The error is io.EOF after the last byte, another
	// one when the body is cut short; bytes may come along with it.
	Next(most int, wait bool) (piece []byte, err error)
}

// Spliced is a Body behind which there may be a socket that holds nothing but its
// bytes.
type Spliced interface {
	Body
	// Socket gives it, with the number of bytes still to come, negative when the
	// connection's end is that of the body; nil when there is none now. It is asked
	// only when Next has given all that was there.
	Socket() (c sock.Stream, left int64)
	// Moved tells that n bytes were taken from the socket, and why no more.
	Moved(n int64, err error)
}

// Resting is a Body that others may wait for: it is told when it will not be read from
// for a while.
type Resting interface {
	Body
	Rest()
}

// Spanned is a Body whose bytes lie in memory, in pieces, or in a file.
type Spanned interface {
	Body
	// Span gives what can be sent now, at most so many bytes, without taking it; it
	// is empty at the end of the body and when there is nothing without waiting. It is
	// valid until the next call.
	Span(most int64) Span
	// Advance takes n bytes of it.
	Advance(n int64)
}

// Span is a part of a body: pieces of memory in order, or with no pieces a part of a
// file.
type Span struct {
	Pieces [][]byte
	// FD, Offset: the bytes are in a file from Offset on.
	FD     int
	Offset int64
	Length int64
}

// Made is a body that is wholly here.
type Made []byte

// Next implements Body.
func (m *Made) Next(most int, _ bool) (piece []byte, err error) {
	if len(*m) == 0 {
		return nil, io.EOF
	}
	piece = (*m)[:min(len(*m), most)]
	*m = (*m)[len(piece):]
	return piece, nil
}
