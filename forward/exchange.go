package forward

import (
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Bounds on what an origin may send before its answer: bytes of white space on a
// kept connection, and 1xx replies.
const (
	maxBlanks   = 1 << 10
	maxInterims = 100
)

// prelude counts what came before the answer.
type prelude struct{ blanks, interims int }

// exchange sends the request and reads the head of the reply.
func (x *transaction) exchange() *failure {
	var seen prelude
	n, err := x.sendRequest()
	for {
		x.answer = x.answer[:len(x.answer)+n]
		switch {
		case err == sock.ErrTimeout && x.uploadMoves():
			// An origin that is still being told may be silent.
		case err != nil && err != io.EOF:
			return x.exchangeFailure(err)
		default:
			if done, f := x.answered(err == io.EOF, &seen); done || f != nil {
				return f
			}
		}
		n, err = x.readAnswer()
	}
}

// sendRequest sends the head and the body, or begins to, and reads what the
// origin says at first into x.answer's storage.
func (x *transaction) sendRequest() (n int, err error) {
	x.out = x.requestHead(x.out[:0])
	c := x.conn
	patience := x.patience()
	c.ReadUntil(patience)
	c.WriteUntil(patience)
	x.answer = x.answer[:0]
	if x.body.Framing == http1.NoBody {
		_, n, err = c.Exchange(x.out, x.answer[:cap(x.answer)])
		return n, err
	}
	return x.sendWithBody()
}

// readAnswer waits for more of the answer, behind what is in x.answer.
func (x *transaction) readAnswer() (n int, err error) {
	if len(x.answer) == cap(x.answer) {
		x.answer = append(make([]byte, 0, 2*cap(x.answer)), x.answer...)
	}
	x.conn.ReadUntil(x.patience())
	return x.conn.Read(x.answer[len(x.answer):cap(x.answer)])
}

// answered reports whether the head of the reply is whole in x.answer, and is then
// in x.rep; ended says that nothing will follow. Replies of 1xx are passed on and
// taken out.
func (x *transaction) answered(ended bool, seen *prelude) (done bool, _ *failure) {
	for {
		if x.conn.Uses > 1 && !ended {
			// What a sloppy origin sent behind its last answer.
			skip := http1.SkipSpace(x.answer)
			x.answer = x.answer[:copy(x.answer, x.answer[skip:])]
			if seen.blanks += skip; seen.blanks > maxBlanks {
				return false, finalFailure(errpage.InvalidReply, 502)
			}
		}
		if ended && len(x.answer) == 0 {
			return false, unanswered(errpage.ZeroSizeObject, io.EOF)
		}
		x.rep.Reset()
		used, state := x.rep.Parse(x.answer, ended, &x.p.reply)
		switch {
		case state == http1.Failed && x.rep.Fault == http1.ReplyTooLarge:
			return false, finalFailure(errpage.TooBig, 502)
		case state == http1.Failed:
			return false, finalFailure(errpage.InvalidReply, 502)
		case state == http1.NeedMore:
			return false, nil
		case x.conn.Uses > 1 && x.rep.LineLen == 0:
			// The rest of an earlier answer, longer than it was said to be: only a
			// fresh connection's first bytes can be an answer without a head.
			return false, unanswered(errpage.InvalidReply, nil)
		case !x.interim():
			x.repHead = used
			return true, nil
		}
		if seen.interims++; seen.interims > maxInterims {
			return false, finalFailure(errpage.InvalidReply, 502)
		}
		if !x.passInterim() {
			return false, finalFailure(errpage.WriteError, 502)
		}
		x.answer = x.answer[:copy(x.answer, x.answer[used:])]
		if len(x.answer) == 0 {
			return false, nil
		}
	}
}

// unanswered is the failure of a request that went out and got no answer.
func unanswered(page errpage.Name, err error) *failure {
	f := newFailure(page, 502).because(err, 0)
	f.asked = true
	return f
}

func (x *transaction) exchangeFailure(err error) *failure {
	var f *failure
	switch {
	case err == sock.ErrTimeout && !x.clock().Before(x.p.lifetime(x.now)):
		x.cl.finish() // client_lifetime is over: no page, no further attempt
		f = finalFailure(errpage.LifetimeExpired, 504)
	case err == sock.ErrTimeout:
		f = newFailure(errpage.ReadTimeout, 504).because(err, 0)
	case err == sock.ErrAborted:
		if x.endUpload(); x.badBody {
			f = refusal(errpage.InvalidRequest, 400)
			f.final = true
			return f
		}
		f = finalFailure(errpage.ReadError, 502)
	default:
		f = newFailure(errpage.ReadError, 502).because(err, sock.Errno(err))
	}
	f.asked = true
	return f
}

// patience is until when the origin may stay silent: read_timeout, and the end
// of client_lifetime in any case.
func (x *transaction) patience() time.Time {
	end := x.p.lifetime(x.now)
	if t := x.clock().Add(x.p.cfg.ReadTimeout); t.Before(end) {
		return t
	}
	return end
}
