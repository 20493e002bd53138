package fetch

import (
	"errors"
	"math"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// errClientLeft says that the client's side of an upload ended early.
var errClientLeft = errors.New("the client ended its request body early")

// errGivenUp says that the fetch ended before the upload: the client goes on sending.
var errGivenUp = errors.New("the fetch ended before the upload")

// errBadChunks says that the client's chunks are malformed or its body is too
// long.
var errBadChunks = errors.New("the client's chunked body is malformed or too long")

// sendWithBody sends f.out with the request's body behind it and reads the
// first bytes of the reply. A body that is wholly here goes out with the head;
// otherwise it is read from the client while the reply is already awaited, for
// an origin may answer before it has read everything.
func (f *Fetch) sendWithBody() (n int, err error) {
	have, body := f.req.Have, f.req.Body
	f.sent = true
	if body.Framing == http1.ByLength && int64(len(have)) >= body.Length {
		f.used = int(body.Length)
		f.out = append(f.out, have[:f.used]...)
		f.out = f.afterBody(f.out)
		_, n, err = f.conn.Exchange(f.out, f.answer[:cap(f.answer)])
		return n, err
	}
	if _, err := f.conn.Write(f.out); err != nil {
		return 0, err
	}
	if !f.origin11() && !f.SayContinue() {
		return 0, sock.ErrAborted
	}
	f.unread = UnreadChunks
	f.upload = &upload{f: f, req: f.req, to: f.conn.Conn, done: make(chan struct{})}
	if body.Framing == http1.ByLength {
		f.upload.end = f.afterBody(nil) // asked now: once the reply is there its facts change
	}
	f.used = len(have)
	go f.upload.run()
	return f.conn.Read(f.answer[:cap(f.answer)])
}

// afterBody adds the line end some broken servers expect behind a body
// (broken_posts; 2.6 asks the list whatever the method).
func (f *Fetch) afterBody(dst []byte) []byte {
	if list := &f.policy.Lists.BrokenPosts; !list.Empty() && list.Check(f.ctx, f.req.Facts).Allowed() {
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// upload carries a request body from the client to the next hop. It runs beside
// the fetch, which waits for the reply, and ends before the fetch does.
type upload struct {
	f    *Fetch
	req  *Request
	to   *sock.Conn
	end  []byte // what follows a body of known length (broken_posts)
	done chan struct{}
	err  error // valid after done
	sent int64
	last atomic.Int64 // when some of it was passed on, Unix nanoseconds
	rest []byte       // what came behind a body in chunks: the next request
}

// run moves the body, then tells the fetch's reader when the client left.
func (up *upload) run() {
	defer close(up.done)
	up.err = errClientLeft // unless it is found to be otherwise
	defer up.req.Waiting.Recover()
	switch up.req.Body.Framing {
	case http1.ByLength:
		up.err = up.byLength()
	case http1.ByChunks:
		up.err = up.byChunks()
	}
	// Half a body is no request: the origin must not take it for one.
	switch up.err {
	case errClientLeft:
		up.req.Waiting.BodyCut()
		up.to.Abort()
	case errBadChunks:
		up.to.Abort()
	}
}

func (up *upload) byLength() error {
	f := up.f
	up.to.WriteUntil(f.lifetime())
	if _, err := up.to.Write(up.req.Have); err != nil {
		return err
	}
	up.sent = int64(len(up.req.Have))
	t := sock.Transfer{From: up.req.Source, To: up.to, Left: up.req.Body.Length - up.sent, Until: f.lifetime(),
		Moved: func(n int) { up.sent += int64(n); up.moved() }, Small: sock.SpliceFrom}
	t.Run()
	if t.ReadErr != nil {
		return whyUnread(t.ReadErr)
	}
	if t.WriteErr != nil {
		return t.WriteErr
	}
	if len(up.end) > 0 {
		_, err := up.to.Write(up.end)
		return err
	}
	return nil
}

// byChunks decodes the client's chunks, within request_body_max_size, and sends
// chunks of its own. First come those that are here already.
func (up *upload) byChunks() error {
	var d http1.Chunked
	src, until := up.req.Have, up.f.lifetime()
	up.to.WriteUntil(until)
	buf := make([]byte, ReplyBuffer)
	out := make([]byte, 0, ReplyBuffer+64)
	for {
		used, err := up.passChunks(&d, src, out[:0])
		if err != nil {
			return err
		}
		if d.Done() {
			up.rest = src[used:]
			return nil
		}
		n := copy(buf, src[used:]) // less than a line
		up.req.Source.ReadUntil(until)
		m, err := up.req.Source.Read(buf[n:])
		if err != nil {
			return whyUnread(err)
		}
		src = buf[:n+m]
	}
}

// whyUnread is what an error of reading from the client means.
func whyUnread(err error) error {
	if err == sock.ErrInterrupted {
		return errGivenUp
	}
	return errClientLeft
}

// passChunks sends the body that is in src, as chunks put together in out. used
// is how many bytes of src are done with.
func (up *upload) passChunks(d *http1.Chunked, src, out []byte) (used int, err error) {
	for !d.Done() {
		data, took, err := d.Next(src[used:])
		used += took
		if err != nil {
			return used, errBadChunks
		}
		if took == 0 {
			break
		}
		if len(data) == 0 {
			continue
		}
		up.sent += int64(len(data))
		if limit := up.f.policy.Config.RequestBodyMaxSize; limit > 0 && up.sent > limit {
			return used, errBadChunks
		}
		out = http1.AppendChunkSize(out, len(data))
		out = append(append(out, data...), http1.ChunkEnd...)
	}
	if d.Done() {
		out = append(out, http1.LastChunk...)
	}
	if len(out) > 0 {
		_, err = up.to.Write(out)
		up.moved()
	}
	return used, err
}

func (up *upload) moved() { up.last.Store(time.Now().UnixNano()) }

// uploadMoves reports whether the origin's silence is no wonder: the request's body
// has not ended, or within read_timeout. How long a client takes over its body is
// bounded by client_lifetime alone, as in 2.6.
func (f *Fetch) uploadMoves() bool {
	if f.upload == nil {
		return false
	}
	select {
	case <-f.upload.done:
	default:
		return time.Now().Before(f.lifetime())
	}
	last := time.Unix(0, f.upload.last.Load())
	return time.Since(last) < f.policy.Config.ReadTimeout && time.Now().Before(f.lifetime())
}

// endUpload waits for the upload's end; one that is still running is stopped,
// for the reply is finished and nobody waits for the rest of the body.
func (f *Fetch) endUpload() {
	up := f.upload
	if up == nil {
		return
	}
	f.upload = nil
	select {
	case <-up.done:
	default:
		f.reusable = false
		up.req.Source.Interrupt()
		up.to.Abort()
		<-up.done
		up.req.Source.Uninterrupt() // where it ended by itself, and the client may be kept
	}
	f.badBody = up.err == errBadChunks
	switch {
	case up.err == nil:
		f.unread = 0
	case up.req.Body.Framing == http1.ByLength:
		f.unread = up.req.Body.Length - up.sent
	}
	if f.unread != 0 {
		f.reusable = false
	}
	f.rest = up.rest
}

// uploadGrace is how long a reply waits for an upload that is all but over: an
// origin's answer often overtakes the news that its last byte was taken.
const uploadGrace = 2 * time.Millisecond

// Uploading reports whether the request's body is still on its way.
func (f *Fetch) Uploading() bool {
	if f.upload == nil {
		return false
	}
	select {
	case <-f.upload.done:
		return f.upload.err != nil
	default:
	}
	t := time.NewTimer(uploadGrace)
	defer t.Stop()
	select {
	case <-f.upload.done:
		return f.upload.err != nil
	case <-t.C:
		return true
	}
}

// BodyRead is what became of the request's body, once the fetch was left: how many
// bytes of Request.Have were its, what was read behind a body in chunks, which
// takes the place of all of Have, and how many octets of it the client has still to
// send, at most.
func (f *Fetch) BodyRead() (used int, behind []byte, unread int64) { return f.used, f.rest, f.unread }

// UnreadChunks stands for what is unread of a body in chunks, whose end nobody knows.
const UnreadChunks = math.MaxInt64
