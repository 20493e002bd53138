package forward

import "github.com/cuttle-proxy/cuttle/forward/http1"

// mayUpgrade reports whether a request asks to change protocols on a port where
// that can be: it is served outside Turns, for what follows reads the client.
func (x *transaction) mayUpgrade() bool {
	return x.client11() && x.req.Has(http1.Upgrade) && x.req.ListHas(http1.Connection, "upgrade")
}

// upgrades reports whether a change of protocols (WebSocket) is passed on: with
// HTTP/1.1 spoken on both sides, where header_access lets Upgrade pass. HTTP/2 in
// the clear is left out: its requests would pass by all rules, and the settings
// it needs are a field of the client's own hop.
func (x *transaction) upgrades() bool {
	return x.mayUpgrade() && x.origin11() && x.body.Framing == http1.NoBody && x.req.Method != http1.CONNECT &&
		!x.req.ListHas(http1.Upgrade, "h2c") && x.p.fields.lets(x.context(), http1.Upgrade, &x.facts)
}

// upgrade passes a 101 on and joins the connections: the protocol is theirs from
// here on (RFC 9110 section 7.8). All bytes count in the log.
func (x *transaction) upgrade() bool {
	x.keep, x.originKeep = false, false
	x.fields.Add(http1.Upgrade, x.rep.Get(http1.Upgrade))
	x.out = x.finishReplyHead(x.out[:0], x.status, true)
	if !x.sendWith(x.answer[x.repHead:]) {
		return false
	}
	early := x.in[x.head:]
	x.bodyUsed = len(early)
	if x.sendEarly(early) {
		x.join(false)
	}
	return false
}

// sendEarly sends what a tunnel's client said before it was one.
func (x *transaction) sendEarly(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	x.conn.WriteUntil(x.patience())
	n, err := x.conn.Write(b)
	x.sent += int64(n)
	return err == nil
}
