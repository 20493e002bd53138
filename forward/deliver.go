package forward

import (
	"cmp"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
)

// checkReply looks at the head of the reply: is it small enough, may the client
// have it?
func (x *transaction) checkReply() *failure.Failure {
	body := x.cached.Source(&x.fetch).Framing()
	f := x.checkHead(body.Length)
	if f != nil {
		x.cached.Source(&x.fetch).Discard()
	}
	return f
}

// checkHead does that for the head x.cached.Served, behind which there is a body of that
// length, -1 for one that is not known.
func (x *transaction) checkHead(length int64) *failure.Failure {
	rep := x.cached.Served
	x.facts.Reply = &rep.Fields
	if length <= 0 {
		length = rep.ContentLength() // of an answer to HEAD: what a GET would bring
	}
	if most := x.bodyMaxSize(); most > 0 && length > most {
		return failure.ReplyUnwanted()
	}
	if !x.p.lists.HTTPReplyAccess.Empty() {
		a := x.p.lists.HTTPReplyAccess.Ask(x.context(), &x.facts)
		a.Say(x.cl.srv.say.Client, "reply for", x.req.MethodText, x.canonicalURL)
		if !a.Allowed() {
			return failure.AccessDenied(a.Last)
		}
	}
	return nil
}

// bodyMaxSize is reply_body_max_size for this reply in bytes, 0 for none.
func (x *transaction) bodyMaxSize() int64 { return x.p.lists.ReplyBodyMaxSize(x.context(), &x.facts) }

// deliver sends the reply to the client and reports whether its connection stays.
func (x *transaction) deliver() bool {
	f, r := x.cached.Source(&x.fetch), &x.reply
	rep := &f.Reply
	x.copyHead(rep, f.BlocksConnectionAuth() || x.cached.StoredWhole())
	if rep.Major < 1 && f.HeadLen() == 0 {
		r.AddDate(http1.Date, x.now) // bytes without a head get one of ours
		if !upgrades(x, f) {
			r.Hop.Bare, r.Hop.Client11 = true, false
		}
	}
	if rep.Status == 101 && f.Upgrades() {
		return x.upgrade()
	}
	if !f.Reusable() && f.SentConnectionAuth() {
		r.Keep = false // what was authenticated ends here
	}
	framing := f.Framing()
	cut := x.cached.Cut(f)
	if cut != nil {
		framing.Length = cut.Length()
		caching.BecomePart(r, cut.Spans, &cut.Multipart, framing.Length)
		f.Discard() // of the rest
	}
	framed := r.Frame(framing, x.bodyMaxSize(), f.HeadLen())
	x.finishReplyHead(framed)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	var err error
	if b := framing; rep.Status > 601 && b.Framing != http1.NoBody && b.Length != 0 {
		// No such code is defined; 2.6 passes the head on, loses the body and closes.
		err, r.Keep = r.SendHead(), false
	} else {
		slow(x, f.Undelayed(), f.HeadLen())
		if cut != nil {
			err = r.Send(cut)
		} else {
			err = r.Send(x.cached.Body(f))
		}
	}
	if err != nil {
		f.Discard()
	}
	return r.Keep
}

// slow makes what the origin says go to the client no faster than its delay pool lets it,
// of which head octets have come with the head. exempt: it comes from a peer with
// no-delay.
func slow(x *transaction, exempt bool, head int) {
	if x.p.delay.None() || exempt {
		return
	}
	if x.reply.Pace = beginShare(x, x.out.until); x.reply.Pace != nil {
		x.reply.Pace.Owe(head)
	}
}

// slowFilling is that for an object that is on its way into the store, whoever brings it
// there. A whole one is a hit, and as fast as can be.
func slowFilling(x *transaction, o *caching.Object) {
	if o == &x.cached.Filled || o.Filler() != nil {
		slow(x, x.cached.Undelayed(o), 0)
	}
}

// upgrades reports whether a reply without a head gets one (upgrade_http0.9). Its first
// line is a field of the reply while that is decided.
func upgrades(x *transaction, f *fetch.Fetch) bool {
	list := &x.p.lists.UpgradeHTTP09
	if list.Empty() {
		return true
	}
	facts, said := x.facts, new(http1.Reply)
	text := append(append([]byte("HTTP/1.0 200 OK\r\nX-HTTP09-First-Line: "), f.FirstLine()...), "\r\n\r\n"...)
	if _, state := said.Parse(text, true, &http1.Options{MaxHead: len(text) + 1}); state == http1.Complete {
		facts.Reply = &said.Fields
	}
	return list.Check(x.context(), &facts).Allowed()
}

// copyHead begins the reply's head with that of the origin's.
func (x *transaction) copyHead(rep *http1.Reply, blocksAuth bool) {
	r := &x.reply
	r.Status = rep.Status
	r.SetMIME(rep.Get(http1.ContentType))
	r.Copy(rep, blocksAuth)
	if x.form.Accelerated {
		x.p.fetch.WithoutControl(&r.Fields, &x.req.Fields)
	}
	x.relocate(rep)
	x.login.Inform(&r.Fields)
	if x.form.Accelerated && x.port.ActAsOrigin {
		r.ActAsOrigin(rep, x.now)
	}
	if rep.Status == 204 && x.client11() {
		r.Fields.Remove(http1.ContentLength) // RFC 9110 section 8.6
	}
}

// finishReplyHead adds this hop's fields to the head of the origin's reply.
func (x *transaction) finishReplyHead(framed bool) {
	f, rep := x.cached.Source(&x.fetch), x.cached.Served
	a := reply.Adding{Via: &rep.Fields, Framed: framed, Closing: x.closes(), Upgrade: rep.Status == 101 && f.Any11()}
	// Always 1.0, as 2.6 stores every reply as such, unless HTTP/1.1 is spoken with
	// origins.
	if (f.Origin11() || x.p.cfg.ServerHTTP11) && rep.Major == 1 && rep.Minor > 0 {
		a.ViaMinor = 1
	}
	x.reply.CacheStatus = cacheStatus(x)
	x.reply.Finish(a)
}

// cacheStatus is what the reply says of how it came about (cache_status_header).
func cacheStatus(x *transaction) string {
	if !x.p.cfg.CacheStatusHeader {
		return ""
	}
	return string(x.cached.AppendStatus([]byte(x.p.cacheStatusName), x.reply.Hit, x.cached.Served.Status))
}

// relocate asks location_rewrite_program about the reply's Location and takes that out when
// there is another: it is added behind all other fields (fact helpers/loc-rewrite).
func (x *transaction) relocate(rep *http1.Reply) {
	r, old := x.p.helpers.rewriters.Location, rep.Get(http1.Location)
	if r == nil || old == nil || !x.p.lists.LocationRewriteAccess.Ask(x.context(), &x.facts).Allowed() {
		return
	}
	if x.reply.Location = r.Location(x.context(), old, x.canonicalURL, x.facts.URLGroup); x.reply.Location != "" {
		x.reply.Fields.Remove(http1.Location)
	}
	if strings.HasPrefix(x.reply.Location, "/") {
		x.reply.Location = siteAsked(x) + x.reply.Location
	}
}

// siteAsked is scheme://host as the client knows it, not as a rewriter has it: with the
// port's scheme and the request's Host, else the host of the URL, without its port as in
// 2.6 (fact helpers/loc-relative).
func siteAsked(x *transaction) string {
	host := x.req.Fields.Get(http1.Host)
	if host == nil {
		var u http1.URL
		u.Parse(x.req.Method, x.target, &x.p.url)
		host = u.Host
	}
	return cmp.Or(x.port.Protocol, "http") + "://" + string(host)
}

// upgrade passes a 101 on and joins the connections: the protocol is theirs from
// here on (RFC 9110 section 7.8). All bytes count in the log.
func (x *transaction) upgrade() bool {
	f, r := &x.fetch, &x.reply
	f.Discard()
	r.Fields.Add(http1.Upgrade, f.Reply.Get(http1.Upgrade))
	x.finishReplyHead(true)
	r.Keep = false
	if r.SendPage(f.Behind()) != nil {
		return false
	}
	early := x.in[x.head:]
	x.bodyUsed = len(early)
	x.join(early, false)
	return false
}

// mappedError fetches the page that error_map puts in the place of the body of
// the reply whose head is finished. It is nil when the reply goes out as it is: no
// rule for the status, or the page is not to be had (2.6 then shows the reply's own
// body).
func (x *transaction) mappedError() *fetch.Owned {
	status := x.reply.Status
	if !x.p.mapsErrors || status < errpage.FirstMapped || !x.facts.HasRequest() {
		return nil
	}
	url := x.p.pages.Mapped(status)
	if url == "" {
		return nil
	}
	failed := x.reply.AsSent(&x.p.fetch.Reply)
	if failed == nil {
		return nil
	}
	var fields http1.Outgoing
	errpage.MapRequest(&fields, &x.req.Fields, failed, status, x.canonicalURL)
	facts := x.facts
	facts.URLGroup = "error"
	m, f := x.cl.srv.fetching.Get(x.context(), &x.p.fetch, url, &fields, facts)
	if f != nil {
		return nil
	}
	if m.Reply.Status != 200 {
		m.Close()
		return nil
	}
	return m
}

// deliverMapped sends the finished head with the page's length in the place of its
// own, then the page. It reports whether the client's connection stays.
func (x *transaction) deliverMapped(m *fetch.Owned) bool {
	defer m.Close()
	x.cached.Source(&x.fetch).Discard() // the body that is replaced stays unread
	r := &x.reply
	r.Replace(m.Framing())
	if x.tag == "TCP_DENIED" {
		// A refusal is logged as what it was replaced by (seen in 2.6).
		r.Status = m.Reply.Status
		r.SetMIME(m.Reply.Get(http1.ContentType))
	}
	var err error
	if x.req.Method == http1.HEAD {
		err = r.SendHead()
	} else {
		err = r.Send(m)
	}
	if err != nil {
		m.Discard()
	}
	return r.Keep
}
