package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// client11 reports whether the client is answered in HTTP/1.1: it speaks it, and
// its port does (http_port … http11).
func (x *transaction) client11() bool {
	return x.port.HTTP11 && (x.req.Major > 1 || x.req.Major == 1 && x.req.Minor >= 1)
}

// clientMinor is the minor version of the status lines the client gets.
func (x *transaction) clientMinor() int {
	if x.port.HTTP11 {
		return 1
	}
	return 0
}

// origin11 reports whether x.hop is asked in HTTP/1.1: server_http11, or the
// option http11 of the peer.
func (x *transaction) origin11() bool {
	return x.p.cfg.ServerHTTP11 || x.hop != nil && x.hop.Peer != nil && x.hop.Peer.HTTP11
}

// any11 reports whether HTTP/1.1 is spoken to either side. Where it is not, 1xx
// replies are what they are to 2.6: final answers (fact "100 Continue from an
// origin is delivered as the final answer").
func (x *transaction) any11() bool { return x.port.HTTP11 || x.origin11() }

// interim reports whether the reply just read is not the answer yet (RFC 9110
// section 15.2).
func (x *transaction) interim() bool {
	return x.rep.Status >= 100 && x.rep.Status < 200 && x.rep.Status != 101 && x.any11()
}

// passInterim passes a 1xx reply on to a client that knows what it is, with its
// fields, and is silent towards others. It is false when the client has gone.
func (x *transaction) passInterim() bool {
	if !x.client11() || x.rep.Status == 100 && x.continued {
		return true
	}
	x.replyFields()
	x.mustKeep = false
	x.p.fields.apply(x.context(), &x.fields, &x.facts, false)
	return x.send(x.fields.Append(http1.AppendStatusLine(nil, 1, x.rep.Status)))
}

// waitsForContinue reports whether the client holds its body back until it is
// told to go on (RFC 9110 section 10.1.1).
func (x *transaction) waitsForContinue() bool {
	return !x.continued && x.client11() && x.body.Framing != http1.NoBody && len(x.in) == x.head &&
		x.req.ListHas(http1.Expect, "100-continue")
}

// sayContinue asks a waiting client for its body where nobody else would: the
// next hop speaks HTTP/1.0, and is not told of the expectation.
func (x *transaction) sayContinue() bool {
	if !x.waitsForContinue() {
		return true
	}
	x.continued = true
	return x.send([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
}

// expects reports whether an Expect field is passed on: where HTTP/1.1 is spoken
// to both sides. 2.6 drops it and never answers (fact "Expect: 100-continue is
// dropped on the way and never answered").
func (x *transaction) expects() bool { return x.client11() && x.origin11() && !x.continued }

// collect reads a body in chunks to its end when it has to go on with a length:
// some next hop does not speak HTTP/1.1. chunked_request_body_max_size bounds what is
// kept. The body takes the place of its chunks in x.in, and what the client sent
// behind it stays behind it.
func (x *transaction) collect() *failure {
	if x.body.Framing != http1.ByChunks || x.all11() {
		return nil
	}
	if !x.sayContinue() {
		return finalFailure(errpage.WriteError, 502)
	}
	most := x.p.cfg.ChunkedRequestBodyMaxSize
	if limit := x.p.cfg.RequestBodyMaxSize; limit > 0 {
		most = min(most, limit)
	}
	var d http1.Chunked
	end, raw := x.head, x.head // decoded up to end; undecoded from raw on
	for !d.Done() {
		data, took, err := d.Next(x.in[raw:])
		raw += took
		end += copy(x.in[end:], data)
		if err != nil {
			return refusal(errpage.InvalidRequest, 400)
		}
		if int64(end-x.head) > most {
			return refusal(errpage.TooBig, 413)
		}
		if took > 0 || d.Done() {
			continue
		}
		x.in = x.in[:end+copy(x.in[end:], x.in[raw:])]
		raw = end
		x.cl.c.ReadUntil(x.patience())
		room := x.room()
		n, err := x.cl.c.Read(room)
		if err != nil {
			x.cl.gone.Store(true)
			return finalFailure(errpage.ReadError, 400)
		}
		x.in = x.in[:len(x.in)+n]
	}
	x.in = x.in[:end+copy(x.in[end:], x.in[raw:])]
	x.body = http1.Body{Framing: http1.ByLength, Length: int64(end - x.head)}
	return nil
}

// all11 reports whether every next hop speaks HTTP/1.1.
func (x *transaction) all11() bool {
	if x.p.cfg.ServerHTTP11 {
		return true
	}
	for _, h := range x.hops {
		if h.Peer == nil || !h.Peer.HTTP11 {
			return false
		}
	}
	return true
}
