package forward

import (
	"bytes"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// refuse answers with a page of the proxy's own and reports whether the
// connection stays.
func (x *transaction) refuse(f *failure.Failure) bool {
	x.report(f)
	x.now = time.Now()
	x.leave()
	r := &x.reply
	if f.Page == errpage.LifetimeExpired {
		x.cl.finish() // client_lifetime is over: there is no page either
	}
	if x.cl.gone.Load() {
		r.Keep = false
		return false // nobody reads it; the log says 000
	}
	if f.Denied {
		x.tag = "TCP_DENIED"
	}
	x.fetch.Reply.Reset()
	x.cached.Served = nil // a hit that is denied stays one (access/reply-denied-hit)
	r.MustKeep = false
	x.bodyLeftUnread()
	x.makePage(f)
	noteOwn(x, len(x.page), 0, expiresNow)
	if x.cl.gone.Load() {
		return false
	}
	r.KeepOwn()
	if f.Challenge && x.login.EndsConnection() {
		r.Keep = false
	}
	x.reply.FinishOwn(x.closes())
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if x.req.Method == http1.HEAD {
		r.SendHead()
	} else {
		r.SendPage(x.page)
	}
	return r.Keep
}

// report tells cache.log why a request failed, when it listens that closely.
func (x *transaction) report(f *failure.Failure) {
	if e := x.cl.srv.parts.Log.Check(zap.DebugLevel, "request failed"); e != nil {
		e.Write(zap.Stringer("client", x.cl.remote), zap.ByteString("url", x.loggedURL()), zap.Error(f))
	}
}

// sayOdd tells cache.log what is wrong with a request.
func (x *transaction) sayOdd() {
	say := &x.cl.srv.say
	if x.req.Odd() {
		say.Odd(&x.req.Fields, x.p.cfg.RelaxedHeaderParser == conf.Warn)
	}
	say.Invalid(&report.Received{Client: x.cl.remote, Fault: x.fault, Head: x.in[:x.head], Target: x.target, Options: &x.p.url})
}

// bodyLeftUnread takes the request's body for read as far as it is here; when
// some of it is not, the connection cannot go on.
func (x *transaction) bodyLeftUnread() {
	switch {
	case x.body.Framing == http1.ByLength && x.body.Length <= int64(len(x.in)-x.head):
		x.bodyUsed = int(x.body.Length)
	case x.unread != 0:
	case x.body.Framing == http1.ByLength:
		x.unread, x.reply.Keep = x.body.Length-int64(len(x.in)-x.head), false
	case x.body.Framing == http1.ByChunks || x.fault == http1.UnsupportedCoding:
		x.unread, x.reply.Keep = fetch.UnreadChunks, false
		if chunksEnd(x.in[x.head:]) {
			x.unread = unreadRest
		}
	case x.fault != http1.NoFault || x.req.ContentLength() > 0:
		x.unread, x.reply.Keep = max(unreadRest, x.req.ContentLength()-int64(len(x.in)-x.head)), false
	}
}

// chunksEnd reports whether a body in chunks ends in what is here of it.
func chunksEnd(here []byte) bool {
	var d http1.Chunked
	for !d.Done() {
		_, took, err := d.Next(here)
		if err != nil || took == 0 && !d.Done() {
			return false
		}
		here = here[took:]
	}
	return true
}

// makePage chooses the page, puts the fields of its reply into x.reply and its body
// into x.page.
func (x *transaction) makePage(f *failure.Failure) {
	name := f.Page
	if f.ACL != "" {
		if own, ok := x.p.pages.DenyInfo(f.ACL, !f.Challenge || x.login.State == auth.Accepted); ok {
			name = own
		}
	}
	page, r := x.p.pages.Page(name), &x.reply
	r.Status = page.Status(f.Status)
	r.SetMIME([]byte("text/html"))
	x.page = x.page[:0]
	if page.IsReset() {
		// deny_info TCP_RESET: the client gets no answer at all.
		x.cl.c.ResetAtClose()
		x.cl.gone.Store(true)
		r.Keep = false
		return
	}
	details := x.pageDetails(f)
	x.page = page.Append(x.page, details)
	r.Fields.Reset()
	page.Reply(&r.Fields, details, f.Status, len(x.page))
	if f.Challenge && r.Status == f.Status { // and not deny_info's redirection
		r.MustKeep = x.login.Ask(&r.Fields, x.req.Persistent(x.req.Major, x.req.Minor, x.port.HTTP11))
	} else {
		x.login.Inform(&r.Fields)
	}
}

// pageDetails is what a page can tell about the failure.
func (x *transaction) pageDetails(f *failure.Failure) *errpage.Details {
	_, host := x.cached.Hierarchy(&x.fetch)
	d := &errpage.Details{
		Now: time.Now(), Errno: f.Errno, Client: x.cl.remote.Addr(),
		Host: host, User: x.login.Name(x.facts.Told), ResolverSays: f.Detail, AuthSays: x.login.Message,
	}
	if told := x.facts.Told; told != nil {
		d.ACLSays = told.Message
	}
	if len(x.logURL) > 0 {
		d.Request, d.URL = &x.req, &x.url
		d.LoggedURL, d.CanonicalURL = x.logURL, x.canonicalURL
		if x.form.Rewritten && !f.Denied && f.Page != errpage.OnlyIfCachedMiss {
			d.LoggedURL = x.url.AppendLogged(nil, x.p.cfg.StripQueryTerms) // what could not be had
		}
	} else if x.fault == http1.InvalidURL || x.fault == http1.InvalidFields || x.fault == http1.InvalidLength {
		// The text as it came, not as the log shows it, and no head: as 2.6.
		if d.UnparsedURL = http1.Bounded(x.target); len(x.target) == 0 {
			d.UnparsedURL = http1.Bounded(x.req.Target)
		}
	} else {
		d.UnparsedHead, _, _ = bytes.Cut(x.in, []byte{0}) // 2.6 sees a C string
	}
	return d
}
