package fetch

import (
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Bounds on what an origin may send before its answer: bytes of white space on a
// kept connection, and 1xx replies.
const (
	MaxBlanks   = 1 << 10
	MaxInterims = 100
)

// prelude counts what came before the answer.
type prelude struct{ blanks, interims int }

// exchange sends the request and reads the head of the reply.
func (f *Fetch) exchange() *failure.Failure {
	var seen prelude
	n, err := f.sendRequest()
	for {
		f.answer = f.answer[:len(f.answer)+n]
		switch {
		case err == sock.ErrTimeout && f.uploadMoves():
			// An origin that is still being told may be silent.
		case err != nil && err != io.EOF:
			return f.exchangeFailure(err)
		default:
			if done, why := f.answered(err == io.EOF, &seen); done || why != nil {
				return why
			}
		}
		n, err = f.readAnswer()
	}
}

// sendRequest sends the head and the body, or begins to, and reads what the
// origin says at first into f.answer's storage.
func (f *Fetch) sendRequest() (n int, err error) {
	f.out = f.requestHead(f.out[:0])
	f.askedToStay = f.asksToStay()
	c := f.conn
	patience := f.patience()
	c.ReadUntil(patience)
	c.WriteUntil(patience)
	f.answer = f.answer[:0]
	if f.req.Body.Framing == http1.NoBody {
		_, n, err = c.Exchange(f.out, f.answer[:cap(f.answer)])
		return n, err
	}
	return f.sendWithBody()
}

// readAnswer waits for more of the answer, behind what is in f.answer.
func (f *Fetch) readAnswer() (n int, err error) {
	if len(f.answer) == cap(f.answer) {
		f.answer = append(make([]byte, 0, 2*cap(f.answer)), f.answer...)
	}
	f.conn.ReadUntil(f.patience())
	return f.conn.Read(f.answer[len(f.answer):cap(f.answer)])
}

// answered reports whether the head of the reply is whole in f.answer, and is then
// in f.Reply; ended says that nothing will follow. Replies of 1xx are passed on and
// taken out.
func (f *Fetch) answered(ended bool, seen *prelude) (done bool, _ *failure.Failure) {
	for {
		if f.conn.Uses > 1 && !ended {
			// What a sloppy origin sent behind its last answer.
			skip := http1.SkipSpace(f.answer)
			f.answer = f.answer[:copy(f.answer, f.answer[skip:])]
			if seen.blanks += skip; seen.blanks > MaxBlanks {
				return false, failure.InvalidReply()
			}
		}
		if ended && len(f.answer) == 0 {
			return false, failure.NoReply()
		}
		f.Reply.Reset()
		used, state := f.Reply.Parse(f.answer, ended, &f.policy.Reply)
		switch {
		case state == http1.Failed && f.Reply.Fault == http1.ReplyTooLarge:
			return false, failure.ReplyHeadTooLarge()
		case state == http1.Failed:
			return false, failure.InvalidReply()
		case state == http1.NeedMore:
			return false, nil
		case f.conn.Uses > 1 && f.Reply.LineLen == 0:
			// The rest of an earlier answer, longer than it was said to be: only a
			// fresh connection's first bytes can be an answer without a head.
			return false, failure.NotTheReply()
		case !f.interim():
			f.head = used
			f.choice.Replied()
			f.sayReply()
			return true, nil
		}
		if seen.interims++; seen.interims > MaxInterims {
			return false, failure.InvalidReply()
		}
		if !f.passInterim() {
			return false, failure.ClientLeft()
		}
		f.answer = f.answer[:copy(f.answer, f.answer[used:])]
		if len(f.answer) == 0 {
			return false, nil
		}
	}
}

func (f *Fetch) exchangeFailure(err error) *failure.Failure {
	switch {
	case err == sock.ErrTimeout && !time.Now().Before(f.lifetime()):
		return failure.LifetimeOver()
	case err == sock.ErrTimeout:
		return failure.Silent()
	case err == sock.ErrAborted:
		if f.endUpload(); f.badBody {
			return failure.BodyInvalid()
		}
		return failure.GivenUp()
	}
	return failure.Broken(err)
}
