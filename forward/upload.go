package forward

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// errClientLeft says that the client's side of an upload ended early.
var errClientLeft = errors.New("the client ended its request body early")

// errBadChunks says that the client's chunks are malformed or its body is too
// long.
var errBadChunks = errors.New("the client's chunked body is malformed or too long")

// sendWithBody sends x.out with the request's body behind it and reads the
// first bytes of the reply. A body that is wholly here goes out with the head;
// otherwise it is read from the client while the reply is already awaited, for
// an origin may answer before it has read everything.
func (x *transaction) sendWithBody() (n int, err error) {
	have := x.in[x.head:]
	whole := x.body.Framing == http1.ByLength && int64(len(have)) >= x.body.Length
	x.bodySent = true
	if whole {
		x.bodyUsed = int(x.body.Length)
		x.out = append(x.out, have[:x.bodyUsed]...)
		x.out = x.afterBody(x.out)
		_, n, err = x.conn.Exchange(x.out, x.answer[:cap(x.answer)])
		return n, err
	}
	if _, err := x.conn.Write(x.out); err != nil {
		return 0, err
	}
	if !x.origin11() && !x.sayContinue() {
		return 0, sock.ErrAborted
	}
	x.unread = true
	up := &upload{x: x, conn: x.conn.Conn, done: make(chan struct{})}
	x.up = up
	go up.run()
	return x.conn.Read(x.answer[:cap(x.answer)])
}

// afterBody adds the line end some broken servers expect behind a body
// (broken_posts; 2.6 asks the list whatever the method).
func (x *transaction) afterBody(dst []byte) []byte {
	if !x.p.lists.BrokenPosts.Empty() && x.p.lists.BrokenPosts.Check(x.context(), &x.facts).Allowed() {
		dst = append(dst, '\r', '\n')
	}
	return dst
}

// upload carries a request body from the client to the origin. It runs beside
// the transaction, which waits for the reply, and ends before the transaction
// does.
type upload struct {
	x    *transaction
	conn *sock.Conn
	done chan struct{}
	err  error // valid after done
	sent int64
	last atomic.Int64 // when some of it was passed on, Unix nanoseconds
	rest []byte       // what came behind a body in chunks: the next request
}

// run moves the body, then tells the transaction's reader when the client left.
func (up *upload) run() {
	defer close(up.done)
	x := up.x
	up.err = errClientLeft // unless it is found to be otherwise
	defer x.cl.recover()
	switch x.body.Framing {
	case http1.ByLength:
		up.err = up.byLength()
	case http1.ByChunks:
		up.err = up.byChunks()
	}
	// Half a body is no request: the origin must not take it for one.
	switch up.err {
	case errClientLeft:
		x.cl.gone.Store(true)
		up.conn.Abort()
	case errBadChunks:
		up.conn.Abort()
	}
}

func (up *upload) byLength() error {
	x := up.x
	have := x.in[x.head:]
	x.bodyUsed = len(have)
	up.conn.WriteUntil(x.p.lifetime(x.now))
	if _, err := up.conn.Write(have); err != nil {
		return err
	}
	up.sent = int64(len(have))
	left := x.body.Length - up.sent
	t := sock.Transfer{From: x.cl.c, To: up.conn, Left: left, Until: x.p.lifetime(x.now),
		Moved: func(n int) { up.sent += int64(n); up.moved() }, Small: spliceFrom}
	t.Run()
	if t.ReadErr != nil {
		return errClientLeft
	}
	if t.WriteErr != nil {
		return t.WriteErr
	}
	if end := x.afterBody(nil); len(end) > 0 {
		_, err := up.conn.Write(end)
		return err
	}
	return nil
}

// byChunks decodes the client's chunks, within request_body_max_size, and sends
// chunks of its own. First come those that are here already.
func (up *upload) byChunks() error {
	x := up.x
	var d http1.Chunked
	src := x.in[x.head:]
	x.bodyUsed = len(src)
	up.conn.WriteUntil(x.p.lifetime(x.now))
	buf := make([]byte, replyBuffer)
	out := make([]byte, 0, replyBuffer+64)
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
		x.cl.c.ReadUntil(x.p.lifetime(x.now))
		m, err := x.cl.c.Read(buf[n:])
		if err != nil {
			return errClientLeft
		}
		src = buf[:n+m]
	}
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
		if limit := up.x.p.cfg.RequestBodyMaxSize; limit > 0 && up.sent > limit {
			return used, errBadChunks
		}
		out = http1.AppendChunkSize(out, len(data))
		out = append(append(out, data...), http1.ChunkEnd...)
	}
	if d.Done() {
		out = append(out, http1.LastChunk...)
	}
	if len(out) > 0 {
		_, err = up.conn.Write(out)
		up.moved()
	}
	return used, err
}

func (up *upload) moved() { up.last.Store(time.Now().UnixNano()) }

// uploadMoves reports whether the origin's silence is no wonder: the request's body
// has not ended, or within read_timeout. How long a client takes over its body is
// bounded by client_lifetime alone, as in 2.6.
func (x *transaction) uploadMoves() bool {
	if x.up == nil {
		return false
	}
	select {
	case <-x.up.done:
	default:
		return x.clock().Before(x.p.lifetime(x.now))
	}
	last := time.Unix(0, x.up.last.Load())
	return time.Since(last) < x.p.cfg.ReadTimeout && x.clock().Before(x.p.lifetime(x.now))
}

// endUpload waits for the upload's end; one that is still running is stopped,
// for the reply is finished and nobody waits for the rest of the body.
func (x *transaction) endUpload() {
	up := x.up
	if up == nil {
		return
	}
	x.up = nil
	select {
	case <-up.done:
	default:
		x.keep, x.originKeep = false, false
		x.cl.c.TCP().CloseRead()
		up.conn.Abort()
		<-up.done
	}
	x.badBody = up.err == errBadChunks
	x.unread = up.err != nil
	if x.unread {
		x.keep, x.originKeep = false, false
	} else if x.body.Framing == http1.ByChunks {
		x.in = append(x.in[:x.head], up.rest...)
		x.bodyUsed = 0
	}
}

// uploadGrace is how long a reply waits for an upload that is all but over: an
// origin's answer often overtakes the news that its last byte was taken.
const uploadGrace = 2 * time.Millisecond

// uploading reports whether the request's body is still on its way.
func (x *transaction) uploading() bool {
	if x.up == nil {
		return false
	}
	select {
	case <-x.up.done:
		return x.up.err != nil
	default:
	}
	t := time.NewTimer(uploadGrace)
	defer t.Stop()
	select {
	case <-x.up.done:
		return x.up.err != nil
	case <-t.C:
		return true
	}
}
