package forward

import (
	"bytes"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/tls"
	"github.com/cuttle-proxy/cuttle/forward/tunnel"
)

// sniffEnd is until when the client may take to show what it speaks; zero when
// there is no such limit.
func (cl *client) sniffEnd() time.Time {
	if limit := cl.srv.current.Load().cfg.InterceptSniffTime; cl.sniffing && limit > 0 {
		return cl.since.Add(limit)
	}
	return time.Time{}
}

// sniff reports whether x.in is to be parsed as HTTP, must wait for more bytes, or
// belongs to a tunnel.
func (cl *client) sniff() tunnel.Protocol {
	if !cl.sniffing || cl.passes {
		return tunnel.HTTP // or TLS: see readHello
	}
	verdict := tunnel.Sniff(cl.x.in, cl.x.p.request.Methods)
	if verdict != tunnel.TooFew {
		cl.sniffing = false
	}
	return verdict
}

// silent reports whether the wait ended because the client showed nothing to go
// by in the time it had: then its server is the one to speak first.
func (cl *client) silent() bool {
	if end := cl.sniffEnd(); end.IsZero() || time.Now().Before(end) || cl.c.Aborted() || cl.srv.stopping.Load() {
		return false
	}
	cl.sniffing = false
	if cl.x == nil {
		cl.take()
	}
	cl.x.first.other = true
	return true
}

// readHello looks for a whole ClientHello in cl.x.in. It returns true when there is
// something to act on, which happens outside Turns. Once a client has begun one it is
// not taken for a silent one any more: half a name must not pass unjudged.
func (cl *client) readHello() (done bool) {
	x := cl.x
	if len(x.in) == 0 {
		cl.drop()
		return false
	}
	p := &x.first
	p.hello, p.state, p.why = p.reader.Read(x.in)
	if p.state == tls.NeedMore {
		cl.sniffing = false
		return false
	}
	p.other = p.state == tls.NotTLS && cl.sniffing
	cl.sniffing = false
	cl.next = outside
	return true
}

// putAside gives the transaction back and keeps what the client has sent.
func (cl *client) putAside() {
	cl.said = &beginning{bytes.Clone(cl.x.in), cl.x.began}
	cl.drop()
}

// take takes a transaction for the client's next request, with what was put aside of it.
func (cl *client) take() {
	cl.x = cl.srv.newTransaction(cl)
	if b := cl.said; b != nil {
		cl.x.in, cl.x.began = append(cl.x.in, b.in...), b.began
		cl.said = nil
	}
}
