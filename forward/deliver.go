package forward

import (
	"errors"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// spliceFrom is the rest of a body, in bytes, from which on splice(2) is
// cheaper than a copy through a 64 KB buffer: BenchmarkRelay shows them equal up
// to here, and splice a fifth cheaper at twice the size.
const spliceFrom = 64 << 10

// judge looks at the head of the reply: can its body be framed, is it small
// enough, may the client have it?
func (x *transaction) judge() *failure {
	body, fault := x.rep.Body(x.req.Method)
	if fault != http1.NoFault || x.rep.Status == 101 && x.any11() && !x.upgrades() {
		return finalFailure(errpage.InvalidReply, 502) // nobody asked for another protocol
	}
	x.repBody = body
	x.originKeep = x.keepsOrigin() &&
		x.rep.Persistent(x.rep.Major, x.rep.Minor, x.origin11()) &&
		!(x.p.cfg.DetectBrokenPconn && body.Framing == http1.UntilClose) &&
		!x.bodyMayBeIgnored()
	x.facts.Reply = &x.rep.Fields
	x.maxBody = x.p.lists.ReplyBodyMaxSize(x.context(), &x.facts)
	announced := body.Length
	if body.Framing == http1.NoBody {
		announced = x.rep.ContentLength() // of an answer to HEAD: what a GET would bring
	}
	if x.maxBody > 0 && announced > x.maxBody {
		return x.forget(refusal(errpage.TooBig, 403))
	}
	if !x.p.lists.HTTPReplyAccess.Empty() {
		if a := x.p.lists.HTTPReplyAccess.Check(x.context(), &x.facts); !a.Allowed() {
			f := refusal(errpage.AccessDenied, 403)
			f.aclName = a.Last
			return x.forget(f)
		}
	}
	return nil
}

// bodyMayBeIgnored reports whether the request had a body that an origin may take
// for no part of it, because its method gives a body no meaning (RFC 9110 section
// 9.3): such an origin reads the body as the next request, which must be nobody's.
func (x *transaction) bodyMayBeIgnored() bool {
	if x.body.Framing == http1.NoBody {
		return false
	}
	switch x.req.Method {
	case http1.GET, http1.HEAD, http1.DELETE, http1.OPTIONS, http1.TRACE:
		return true
	}
	return false
}

// forget drops a reply the client does not get.
func (x *transaction) forget(f *failure) *failure {
	x.originKeep = false
	return f
}

// deliver sends the reply to the client and reports whether its connection stays.
func (x *transaction) deliver() bool {
	x.status = x.rep.Status
	x.mime = append(x.mime[:0], x.rep.Get(http1.ContentType)...)
	x.replyFields()
	x.actAsOrigin()
	if x.rep.Status == 204 && x.client11() {
		x.fields.Remove(http1.ContentLength) // RFC 9110 section 8.6
	}
	if x.rep.Major < 1 && x.repHead == 0 {
		// Bytes without a head get one of ours.
		x.fields.Set(x.srv.dates.Append(x.fields.Pieces(), x.now)).End(http1.Date)
	}
	if x.rep.Status == 101 && x.upgrades() {
		return x.upgrade()
	}
	if !x.originKeep && x.sentConnectionAuth() {
		x.keep = false // what was authenticated ends here
	}
	known := x.repBody.Framing == http1.NoBody || x.repBody.Framing == http1.ByLength
	x.chunks = !known && x.client11()
	if x.chunks {
		x.fields.AddString(http1.TransferEncoding, "chunked")
	}
	x.out = x.finishReplyHead(x.out[:0], x.status, known || x.chunks)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if x.status > 601 && x.repBody.Framing != http1.NoBody && x.repBody.Length != 0 {
		// No such code is defined; 2.6 passes the head on, loses the body and closes.
		x.keep, x.originKeep = false, false
		x.send(x.out)
		return false
	}
	have := x.answer[x.repHead:]
	switch x.repBody.Framing {
	case http1.NoBody:
		if len(have) > 0 {
			x.originKeep = false // more than was announced
		}
		x.send(x.out)
	case http1.ByLength:
		x.deliverLength(have)
	case http1.ByChunks:
		x.deliverChunks(have)
	case http1.UntilClose:
		x.originKeep = false
		x.deliverRest(have)
	}
	return x.keep
}

// send writes to the client. A failure ends the connection.
func (x *transaction) send(b []byte) bool {
	var n int
	var err error
	if len(b) == 0 {
		return true
	}
	if x.gate != nil && !x.waitTurn() {
		return false
	}
	x.cl.c.WriteUntil(x.p.lifetime(x.now))
	if turn := x.cl.turn; turn != nil {
		n, err = turn.Write(b)
	} else {
		n, err = x.cl.c.Write(b)
	}
	x.sent += int64(n)
	if err != nil {
		x.keep = false
		x.originKeep = false
		x.cl.gone.Store(true)
		return false
	}
	return true
}

// sendWith writes x.out with body behind it, in one write when that is small.
func (x *transaction) sendWith(body []byte) bool {
	if len(x.out)+len(body) <= replyBuffer {
		x.out = append(x.out, body...)
		return x.send(x.out)
	}
	return x.send(x.out) && x.send(body)
}

// deliverLength relays a body of known length.
func (x *transaction) deliverLength(have []byte) {
	left := x.repBody.Length
	if int64(len(have)) > left {
		have = have[:left]
		x.originKeep = false
	}
	left -= int64(len(have))
	if !x.sendWith(have) {
		return
	}
	if left > 0 && x.relay(left) < left {
		x.keep, x.originKeep = false, false
	}
}

// deliverRest relays what comes until the origin closes.
func (x *transaction) deliverRest(have []byte) {
	if x.chunks {
		x.deliverRestInChunks(have)
		return
	}
	if x.maxBody > 0 {
		x.deliverBounded(have)
		return
	}
	if x.sendWith(have) {
		x.relay(-1)
	}
}

// relay moves left bytes, or everything until the end when it is negative,
// from the origin to the client, and returns how many arrived there. What is more
// than this transaction's buffer holds is moved in larger pieces: at 64 KB they
// cost two thirds of the small ones (BenchmarkRelay).
func (x *transaction) relay(left int64) (moved int64) {
	if left >= 0 && left <= replyBuffer {
		return x.relayCopy(left)
	}
	t := sock.Transfer{From: x.conn.Conn, To: x.cl.c, Left: left, Small: spliceFrom,
		Patience: x.p.cfg.ReadTimeout, Until: x.p.lifetime(x.now)}
	moved = t.Run()
	x.sent += moved
	x.relayEnded(t.ReadErr, t.WriteErr)
	return moved
}

// relayCopy moves up to left bytes through the transaction's buffer.
func (x *transaction) relayCopy(left int64) (moved int64) {
	for moved < left {
		n := x.relayPiece(left - moved)
		if n == 0 {
			break
		}
		moved += n
	}
	return moved
}

// relayPiece moves what one read gives, up to limit bytes; 0 when there is
// nothing more to be had or nobody to have it.
func (x *transaction) relayPiece(limit int64) (moved int64) {
	buf := x.bodyRoom()
	x.conn.ReadUntil(x.patience())
	n, err := x.conn.Read(buf[:min(int64(len(buf)), limit)])
	if err != nil {
		x.relayEnded(err, nil)
		return 0
	}
	before := x.sent
	if !x.send(buf[:n]) {
		return 0
	}
	return x.sent - before
}

// bodyRoom is the storage behind the head of the reply: the logs still show the
// head when the body has passed.
func (x *transaction) bodyRoom() []byte {
	if cap(x.answer)-x.repHead < bodyPiece {
		x.answer = append(make([]byte, 0, x.repHead+replyBuffer), x.answer...)
	}
	return x.answer[x.repHead:cap(x.answer)]
}

// relayEnded notes which side ended a relay early. Nothing can be said to the
// client any more: its head is out; it sees the connection close.
func (x *transaction) relayEnded(read, write error) {
	if read != nil && !errors.Is(read, io.EOF) {
		x.keep, x.originKeep = false, false
	}
	if write != nil {
		x.keep, x.originKeep = false, false
		x.cl.gone.Store(true)
	}
}

// deliverChunks decodes a chunked body and relays what is in it. A faulty or
// cut one ends the client's connection.
func (x *transaction) deliverChunks(have []byte) {
	if len(x.out) > 0 && !x.flushHeadIfSlow(have) {
		return
	}
	x.chunked = http1.Chunked{Relaxed: x.p.reply.Relaxed}
	d := &x.chunked
	buf := x.bodyRoom()
	n := copy(buf, have)
	for {
		used := 0
		for !d.Done() {
			data, took, err := d.Next(buf[used:n])
			used += took
			if err != nil {
				x.send(x.out)
				x.keep, x.originKeep = false, false
				return
			}
			if took == 0 {
				break
			}
			if !x.sendPiece(data) {
				return
			}
		}
		if d.Done() {
			if used < n {
				x.originKeep = false
			}
			if x.chunks {
				x.out = append(x.out, http1.LastChunk...)
			}
			x.send(x.out)
			x.out = x.out[:0]
			return
		}
		if !x.send(x.out) {
			return
		}
		x.out = x.out[:0]
		n = copy(buf, buf[used:n])
		x.conn.ReadUntil(x.patience())
		m, err := x.conn.Read(buf[n:])
		if err != nil {
			x.keep, x.originKeep = false, false
			return
		}
		n += m
	}
}

// flushHeadIfSlow sends the head alone when none of the body is here yet.
func (x *transaction) flushHeadIfSlow(have []byte) bool {
	if len(have) > 0 {
		return true
	}
	ok := x.send(x.out)
	x.out = x.out[:0]
	return ok
}

// sendPiece adds a piece of body to x.out, in chunks if the client gets such,
// and sends when there is enough. It is false when no more can be sent: the
// client has gone, or reply_body_max_size is reached.
func (x *transaction) sendPiece(data []byte) bool {
	part := x.withinLimit(data)
	if !x.addPiece(part) {
		return false
	}
	if len(part) < len(data) {
		x.send(x.out)
		x.keep, x.originKeep = false, false
		return false
	}
	return true
}

func (x *transaction) addPiece(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if x.chunks {
		x.out = http1.AppendChunkSize(x.out, len(data))
	}
	x.out = append(x.out, data...)
	if x.chunks {
		x.out = append(x.out, http1.ChunkEnd...)
	}
	if len(x.out) < replyBuffer {
		return true
	}
	ok := x.send(x.out)
	x.out = x.out[:0]
	return ok
}

// deliverRestInChunks relays a body that ends with the origin's connection to a
// client that keeps its own.
func (x *transaction) deliverRestInChunks(have []byte) {
	buf := x.bodyRoom()
	if !x.sendPiece(have) {
		return
	}
	for {
		if !x.send(x.out) {
			return
		}
		x.out = x.out[:0]
		x.conn.ReadUntil(x.patience())
		n, err := x.conn.Read(buf)
		if n > 0 && !x.sendPiece(buf[:n]) {
			return
		}
		if err == io.EOF {
			x.send(append(x.out, http1.LastChunk...))
			return
		}
		if err != nil {
			x.keep = false
			return
		}
	}
}

// leaveOrigin gives the connection back, or closes it when it cannot be used
// again.
func (x *transaction) leaveOrigin() {
	if x.conn == nil {
		return
	}
	x.endUpload()
	x.cl.detach(x.conn)
	if x.originKeep && !x.conn.Aborted() {
		x.keepOrigin()
	} else {
		x.conn.Close()
	}
	x.conn = nil
}
