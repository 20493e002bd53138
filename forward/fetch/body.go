package fetch

import (
	"bytes"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// bodyRoom is the least storage a body is read into, in bytes: a line of chunks
// has to fit.
const bodyRoom = 4096

// frame learns from the head where the body ends.
func (f *Fetch) frame() *failure.Failure {
	body, fault := f.Reply.Body(f.req.Method)
	if fault != http1.NoFault || f.Reply.Status == 101 && f.Any11() && !f.Upgrades() {
		return failure.InvalidReply() // nobody asked for another protocol
	}
	f.framing, f.left = body, 0
	stays := f.Reply.Persistent(f.Reply.Major, f.Reply.Minor, f.origin11())
	if p := f.hop.Peer; p != nil {
		// Only replies tell whether it keeps connections: as in 2.6 one that was closed
		// without a reply does not count.
		if f.askedToStay {
			p.AskedToStay()
		}
		if stays {
			p.Stays()
		}
	}
	f.reusable = f.keepsOrigin() && stays &&
		!(f.policy.Config.DetectBrokenPconn && body.Framing == http1.UntilClose) &&
		!f.bodyMayBeIgnored()
	f.at = f.head
	here := int64(len(f.answer) - f.head)
	if f.conn.Uses > 1 && here > 0 && !f.hop.Pinned && f.overflows(body) {
		// An earlier answer had another one behind it, which this one may be: on a
		// connection of its own nothing is (see origin.Pool).
		f.sayExcess()
		return failure.NotTheReply()
	}
	switch body.Framing {
	case http1.NoBody:
		f.complete = true
		if here > 0 {
			if f.Reply.Status != 101 {
				f.exceeds()
			}
			f.reusable = false
		}
	case http1.ByLength:
		if f.left = body.Length; here > f.left {
			f.exceeds()
			f.answer = f.answer[:f.head+int(f.left)]
		}
	case http1.ByChunks:
		f.chunked = http1.Chunked{Relaxed: f.policy.Reply.Relaxed}
	case http1.UntilClose:
		f.reusable = false
	}
	return nil
}

// exceeds notes that more has come than was announced.
func (f *Fetch) exceeds() {
	f.sayExcess()
	f.excess, f.reusable = true, false
}

// Exceeds reports whether more came at once with the head of the reply than the body it
// announces: nobody knows then which of the two is wrong.
func (f *Fetch) Exceeds() bool { return f.excess }

// overflows reports whether more has come behind the head than the body.
func (f *Fetch) overflows(body http1.Body) bool {
	behind := f.answer[f.head:]
	switch body.Framing {
	case http1.NoBody:
		return f.Reply.Status != 101
	case http1.ByLength:
		return int64(len(behind)) > body.Length
	case http1.ByChunks:
		d := http1.Chunked{Relaxed: f.policy.Reply.Relaxed}
		for !d.Done() {
			_, took, err := d.Next(behind)
			if err != nil || took == 0 && !d.Done() {
				return false
			}
			behind = behind[took:]
		}
		return len(behind) > 0
	}
	return false
}

// bodyMayBeIgnored reports whether the request had a body that an origin may take
// for no part of it, because its method gives a body no meaning (RFC 9110 section
// 9.3): such an origin reads the body as the next request, which must be nobody's.
func (f *Fetch) bodyMayBeIgnored() bool {
	if f.req.Body.Framing == http1.NoBody {
		return false
	}
	switch f.req.Method {
	case http1.GET, http1.HEAD, http1.DELETE, http1.OPTIONS, http1.TRACE:
		return true
	}
	return false
}

// Reusable reports whether the connection may serve another request once the body
// is read.
func (f *Fetch) Reusable() bool { return f.reusable }

// Framing tells how the body's end is found, with its length where that is known.
func (f *Fetch) Framing() http1.Body { return f.framing }

// HeadLen is the length in bytes of the reply's head as it was received; 0 for an
// answer without one.
func (f *Fetch) HeadLen() int { return f.head }

// FirstLine is the first line of an answer without a head, as far as it is here: up to
// the first control octet, and 1024 octets at most.
func (f *Fetch) FirstLine() []byte {
	line := f.answer[f.head:min(len(f.answer), f.head+1024)]
	if end := bytes.IndexFunc(line, func(c rune) bool { return c < ' ' || c == 0x7f }); end >= 0 {
		line = line[:end]
	}
	return line
}

// Behind is what came behind the head of a reply without body: the first bytes of
// another protocol.
func (f *Fetch) Behind() []byte { return f.answer[f.head:] }

// Whole is the body of the reply, a view, where all of it has come and none was read, and
// nothing has to be decoded.
func (f *Fetch) Whole() (body []byte, ok bool) {
	switch {
	case f.framing.Framing == http1.NoBody:
		return nil, true
	case f.framing.Framing != http1.ByLength || f.at != f.head || int64(len(f.answer)-f.head) < f.framing.Length:
		return nil, false
	}
	return f.answer[f.head : f.head+int(f.framing.Length)], true
}

// Next implements reply.Body.
func (f *Fetch) Next(most int, wait bool) (piece []byte, err error) {
	switch {
	case len(f.piece) > 0:
	case f.complete:
		return nil, io.EOF
	case f.framing.Framing == http1.ByChunks:
		err = f.decode(wait)
	default:
		err = f.read(most, wait)
	}
	piece = f.piece[:min(len(f.piece), most)]
	f.piece = f.piece[len(piece):]
	return piece, err
}

// read puts the next bytes of a body that is not coded into f.piece.
func (f *Fetch) read(most int, wait bool) error {
	known := f.framing.Framing == http1.ByLength
	switch {
	case f.at < len(f.answer):
		f.piece = f.answer[f.at:]
		f.at = len(f.answer)
	case known && f.left == 0:
		f.complete = true
		return io.EOF
	case !wait:
		return nil
	default:
		room := f.room()
		room = room[:min(len(room), most)]
		if known {
			room = room[:min(int64(len(room)), f.left)]
		}
		f.conn.ReadUntil(f.patience())
		n, err := f.conn.Read(room)
		if err != nil {
			return f.ended(err)
		}
		f.piece = room[:n]
	}
	f.left -= int64(len(f.piece))
	return nil
}

// ended judges the end of the connection in the middle of a body that is not coded.
func (f *Fetch) ended(err error) error {
	if err == io.EOF && f.framing.Framing == http1.ByLength {
		return io.ErrUnexpectedEOF
	}
	f.complete = err == io.EOF
	return err
}

// decode puts the next bytes of a chunked body into f.piece.
func (f *Fetch) decode(wait bool) error {
	for {
		for !f.chunked.Done() {
			data, took, err := f.chunked.Next(f.answer[f.at:])
			f.at += took
			if err != nil {
				return err
			}
			if f.piece = data; len(data) > 0 {
				f.left -= int64(len(data))
				return nil
			}
			if took == 0 {
				break
			}
		}
		switch {
		case f.chunked.Done():
			f.complete = true
			if f.at < len(f.answer) {
				f.reusable = false
			}
			return io.EOF
		case !wait:
			return nil
		}
		room := f.room()
		begun := copy(room, f.answer[f.at:]) // less than a line
		f.at = f.head
		f.conn.ReadUntil(f.patience())
		n, err := f.conn.Read(room[begun:])
		f.answer = f.answer[:f.head+begun+n]
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

// room is the storage behind the head of the reply: the logs still show the
// head when the body has passed.
func (f *Fetch) room() []byte {
	if cap(f.answer)-f.head < bodyRoom {
		f.answer = append(make([]byte, 0, f.head+ReplyBuffer), f.answer...)
	}
	return f.answer[f.head:cap(f.answer)]
}

// Socket implements reply.Spliced: the bytes of a body that is not coded are those
// of the connection.
func (f *Fetch) Socket() (c sock.Stream, left int64) {
	switch f.framing.Framing {
	case http1.ByLength:
		return f.conn.Conn, f.left
	case http1.UntilClose:
		return f.conn.Conn, -1
	}
	return nil, 0
}

// Moved implements reply.Spliced.
func (f *Fetch) Moved(n int64, err error) {
	f.left -= n
	if f.framing.Framing == http1.ByLength {
		f.complete = f.left == 0
	} else {
		f.complete = err == nil
	}
}

// Came is how many bytes of the body have come, as far as that is known: those in chunks
// count when they are read.
func (f *Fetch) Came() int64 {
	switch f.framing.Framing {
	case http1.NoBody:
		return 0
	case http1.ByChunks:
		return -f.left
	case http1.ByLength:
		return f.framing.Length - f.left + int64(len(f.answer)-f.at)
	}
	return int64(len(f.answer)-f.at) - f.left
}
