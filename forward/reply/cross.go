package reply

import (
	"errors"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Errors of a body that did not reach the client whole. Those of the body itself
// are passed on.
var (
	ErrClient = errors.New("the client took no more")
	ErrLimit  = errors.New("reply_body_max_size is reached")
)

// Frame chooses how the client learns where a body ends, before the head is
// finished: by its length, by chunks, or by the end of the connection. It reports
// whether the client can tell. most is reply_body_max_size for a body whose length
// is not known, 0 for none; head is the length of the head as it was received.
func (r *Reply) Frame(body http1.Body, most int64, head int) (framed bool) {
	if body.Framing == http1.NoBody || body.Framing == http1.ByLength {
		return true
	}
	if r.chunks = r.Hop.Client11; r.chunks {
		r.Fields.AddString(http1.TransferEncoding, "chunked")
	}
	r.limit = newLimit(most, head, body.Framing == http1.UntilClose && !r.chunks)
	return r.chunks
}

// SendHead sends what is to go out next, and no body.
func (r *Reply) SendHead() error { return r.flush() }

// SendPage sends what is to go out next with a body that is wholly here.
func (r *Reply) SendPage(body []byte) error {
	if !r.add(body) {
		return ErrClient
	}
	return r.flush()
}

// Send sends what is to go out next and the body behind it. Every body to every
// client passes through here. An error has ended the client's connection: nothing
// else can be said to it when the head is out.
//
// reply_body_max_size acts where bytes are asked for and let through (limit).
func (r *Reply) Send(body Body) error {
	err := r.cross(body)
	if err != nil {
		r.Keep = false
	}
	return err
}

func (r *Reply) cross(body Body) error {
	for {
		if err := r.sendSpans(body); err != nil {
			return err
		}
		most, err := r.ask(body)
		if err != nil {
			return err
		}
		piece, err := body.Next(most, false)
		if len(piece) == 0 && err == nil {
			if err := r.flush(); err != nil {
				return err
			}
			if done, err := r.splice(body); done {
				return err
			}
			piece, err = body.Next(most, true)
		}
		allowed, more := r.limit.allow(len(piece))
		if err := r.pay(body, allowed); err != nil {
			return err
		}
		if !r.add(piece[:allowed]) {
			return ErrClient
		}
		switch {
		case !more:
			r.flush()
			return ErrLimit
		case err == io.EOF:
			if r.chunks {
				r.out = append(r.out, http1.LastChunk...)
			}
			return r.flush()
		case err != nil:
			r.flush()
			return err
		}
	}
}

// ask is how much may be read at a time, after a wait where nothing may.
func (r *Reply) ask(body Body) (most int, _ error) {
	most = r.limit.ask(gathered)
	if r.Pace == nil {
		return most, nil
	}
	for {
		if n := r.Pace.Ask(most); n > 0 {
			return n, nil
		}
		if err := r.wait(body); err != nil {
			return 0, err
		}
	}
}

// pay waits until n octets that were read may go on.
func (r *Reply) pay(body Body, n int) error {
	if r.Pace == nil || n == 0 || r.Pace.Pay(n) {
		return nil
	}
	return r.wait(body)
}

// wait sends what may go out before it waits for its turn.
func (r *Reply) wait(body Body) error {
	if err := r.flush(); err != nil {
		return err
	}
	if b, ok := body.(Resting); ok {
		b.Rest()
	}
	if r.Pace.Wait() != nil {
		return ErrClient
	}
	return nil
}

// longSpan is how much of a span is sent at a time, in bytes: between two of them
// deadlines are renewed.
const longSpan = 1 << 20

// sendSpans sends what lies in memory or in a file as long as there is more of it, with
// what is to go out next, than is gathered by copying: that and the pieces in one write,
// files by sendfile(2).
func (r *Reply) sendSpans(body Body) error {
	if r.chunks || r.limit.most > 0 || r.Pace != nil {
		return nil
	}
	s, ok := body.(Spanned)
	if !ok {
		return nil
	}
	for {
		span := s.Span(longSpan)
		if span.Length == 0 || int64(len(r.out))+span.Length <= gathered {
			return nil
		}
		n, err := r.sendSpan(&span)
		s.Advance(n)
		if err != nil {
			return err
		}
	}
}

// sendSpan sends one span and reports how much of it went out.
func (r *Reply) sendSpan(span *Span) (n int64, err error) {
	if len(span.Pieces) == 0 {
		if err := r.flush(); err != nil {
			return 0, err
		}
		n, err = r.To.SendFile(span.FD, span.Offset, span.Length)
		r.Sent += n
		return n, err
	}
	r.pieces = append(append(r.pieces[:0], r.out), span.Pieces...)
	all, err := r.To.WritePieces(r.pieces)
	clear(r.pieces)
	r.Sent += all
	n = max(0, all-int64(len(r.out)))
	r.out = r.out[:0]
	if err != nil {
		return n, ErrClient
	}
	return n, nil
}

// splice moves the rest of a body from its socket to the client's when nothing
// looks at it on the way and it is long enough. What is less than the buffer holds
// is copied through that; more is moved in larger pieces: at 64 KB they cost two
// thirds of the small ones (BenchmarkRelay).
func (r *Reply) splice(body Body) (done bool, _ error) {
	if r.chunks || r.limit.most > 0 || r.Pace != nil {
		return false, nil
	}
	s, ok := body.(Spliced)
	if !ok {
		return false, nil
	}
	from, left := s.Socket()
	if from == nil || left >= 0 && left <= gathered {
		return false, nil
	}
	t := sock.Transfer{From: from, Left: left, Small: sock.SpliceFrom, Patience: r.Policy.Config.ReadTimeout, Until: r.Until}
	n := r.To.Transfer(&t)
	r.Sent += n
	s.Moved(n, t.ReadErr)
	if t.WriteErr != nil {
		return true, ErrClient
	}
	return true, t.ReadErr
}

// add puts a piece of body behind what is to go out, in chunks if the client gets
// such, and sends when there is enough. It is false when the client has gone.
func (r *Reply) add(piece []byte) bool {
	switch {
	case len(piece) == 0:
		return true
	case r.chunks:
		r.out = http1.AppendChunkSize(r.out, len(piece))
		r.out = append(append(r.out, piece...), http1.ChunkEnd...)
		return len(r.out) < gathered || r.flush() == nil
	case len(r.out) == 0 && len(piece) >= bodyPiece, len(r.out)+len(piece) > gathered:
		return r.flush() == nil && r.send(piece)
	}
	r.out = append(r.out, piece...)
	return true
}

// flush sends what has been put together.
func (r *Reply) flush() error {
	out := r.out
	r.out = r.out[:0]
	if !r.send(out) {
		return ErrClient
	}
	return nil
}

// send writes to the client. A failure ends the connection.
func (r *Reply) send(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	n, err := r.To.Write(b)
	r.Sent += int64(n)
	if err != nil {
		r.Keep = false
	}
	return err == nil
}
