package forward

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// refuse answers with a page of the proxy's own and reports whether the
// connection stays.
func (x *transaction) refuse(f *failure) bool {
	x.leaveOrigin()
	if x.cl.gone.Load() {
		x.keep = false
		return false // nobody reads it; the log says 000
	}
	if f.denied {
		x.tag = "TCP_DENIED"
	}
	x.rep.Reset()
	x.mustKeep = false
	x.bodyLeftUnread()
	x.answer = x.page(x.answer[:0], f)
	if x.cl.gone.Load() {
		return false
	}
	x.keepOwnHead()
	x.out = x.finishReplyHead(x.out[:0], x.status, true)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if x.req.Method == http1.HEAD {
		x.send(x.out)
	} else {
		x.sendWith(x.answer)
	}
	return x.keep
}

// keepOwnHead keeps the head of a reply of our own for the logs that show the
// reply's head as the origin sent it (fact "log_mime_hdrs prints ... the reply
// head as the origin sent it").
func (x *transaction) keepOwnHead() {
	x.ownHead = x.fields.Append(http1.AppendStatusLine(x.ownHead[:0], 0, x.status))
}

// bodyLeftUnread takes the request's body for read as far as it is here; when
// some of it is not, the connection cannot go on.
func (x *transaction) bodyLeftUnread() {
	switch {
	case x.body.Framing == http1.ByLength && x.body.Length <= int64(len(x.in)-x.head):
		x.bodyUsed = int(x.body.Length)
	case x.body.Framing != http1.NoBody || x.fault != http1.NoFault || x.req.ContentLength() > 0:
		x.unread = true
		x.keep = false
	}
}

// page chooses the page, puts the fields of its reply into x.fields and
// appends its body to dst.
func (x *transaction) page(dst []byte, f *failure) []byte {
	name := f.page
	if f.aclName != "" {
		if own, ok := x.p.pages.DenyInfo(f.aclName, !f.challenge); ok {
			name = own
		}
	}
	page := x.p.pages.Page(name)
	x.status = page.Status(f.status)
	x.mime = append(x.mime[:0], "text/html"...)
	if page.IsReset() {
		// deny_info TCP_RESET: the client gets no answer at all.
		x.cl.c.ResetAtClose()
		x.cl.gone.Store(true)
		x.keep = false
		return dst
	}
	facts := x.pageFacts(f)
	start := len(dst)
	dst = page.Append(dst, facts)
	x.fields.Reset()
	page.Reply(&x.fields, facts, f.status, len(dst)-start)
	return dst
}

// pageFacts is what a page can tell about the failure.
func (x *transaction) pageFacts(f *failure) *errpage.Facts {
	facts := &errpage.Facts{
		Now: x.clock(), Errno: f.errno, Client: x.cl.remote.Addr(),
		Host: view(x.hierHost), User: x.facts.Told.Name(), ResolverSays: f.detail,
	}
	if x.hasURL {
		facts.Request, facts.URL = &x.req, &x.url
		facts.LoggedURL, facts.CanonicalURL = x.logURL, x.text
	} else if x.fault == http1.InvalidURL || x.fault == http1.InvalidFields || x.fault == http1.InvalidLength {
		// The text as it came, not as the log shows it, and no head: as 2.6.
		if facts.UnparsedURL = http1.Bounded(x.asked); len(x.asked) == 0 {
			facts.UnparsedURL = http1.Bounded(x.req.Target)
		}
	} else {
		facts.UnparsedHead, _, _ = bytes.Cut(x.in, []byte{0}) // 2.6 sees a C string
	}
	return facts
}

// purge answers PURGE, which is served only where http_access speaks of that
// method. Nothing is stored yet, so nothing is found.
func (x *transaction) purge() bool {
	if !x.p.purges {
		return x.refuse(refusal(errpage.AccessDenied, 403))
	}
	x.tag, x.status = "TCP_MISS", 404
	x.bodyLeftUnread()
	out := &x.fields
	out.Reset()
	out.AddString(http1.Server, x.p.product)
	out.Set(x.srv.dates.Append(out.Pieces(), x.clock())).End(http1.Date)
	out.AddInt(http1.ContentLength, 0)
	if x.client11() {
		out.AddString(http1.Connection, "close")
	}
	x.send(out.Append(http1.AppendStatusLine(x.out[:0], x.clientMinor(), x.status)))
	return x.keep
}

// echo answers a TRACE that may go no further with the request itself.
func (x *transaction) echo() bool {
	x.tag, x.status = "TCP_HIT", 200
	x.bodyLeftUnread()
	x.mime = append(x.mime[:0], "text/plain"...)
	now := x.clock()
	x.asked = x.url.AppendTarget(x.asked[:0])
	said := http1.AppendRequestLine(x.answer[:0], x.req.MethodText, x.asked, x.clientMinor())
	said = append(x.req.AppendLines(said), "\r\n"...)
	x.answer = said
	out := &x.fields
	out.Reset()
	out.AddString(http1.Server, x.p.product)
	out.Set(x.srv.dates.Append(out.Pieces(), now)).End(http1.Date)
	out.AddString(http1.ContentType, "text/plain")
	out.AddInt(http1.ContentLength, int64(len(said)))
	out.Set(x.srv.dates.Append(out.Pieces(), now)).End(http1.Expires)
	x.keepOwnHead()
	x.out = x.finishReplyHead(x.out[:0], x.status, true)
	x.sendWith(said)
	return x.keep
}
