package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// log writes the transaction's lines and forgets what it pointed to. A tunnel that goes
// on without its transaction has its line at its end.
func (x *transaction) log() {
	if x.cl.tunnel != nil {
		return
	}
	if x.tag == "NONE" && x.reply.Sent == 0 && x.cl.gone.Load() {
		return // as 2.6: the client left before there was anything to tell
	}
	x.cl.srv.requests.Add(x.part, 1)
	if x.fetch.Begun() {
		x.fetch.CountVerified()
	}
	if x.p.cfg.HighResponseTimeWarning > 0 {
		x.cl.srv.vitals.Served(x.now.Sub(x.began))
	}
	x.p.log(x.context(), &x.facts, entryOf(x))
	logOwn(x)
}

// entryOf is what the line of a transaction tells, as things stand.
func entryOf(x *transaction) *accesslog.Entry {
	e := &x.entry
	e.Now, e.Elapsed = x.now, x.now.Sub(x.began)
	e.Client, e.ClientPort = x.cl.remote.Addr(), x.cl.remote.Port()
	if x.p.cfg.LogUsesIndirectClient && x.facts.HasRequest() {
		e.Client = x.client
	}
	e.Local = x.cl.own(x.p)
	e.Tag, e.Status, e.Size = x.tag, x.reply.Status, x.reply.Sent
	e.RequestSize = int64(x.head)
	if x.facts.HasRequest() {
		e.RequestSize += x.req.ContentLength() // -1 for none, as in 2.6
	}
	e.Method = x.req.MethodText
	e.Major, e.Minor = x.req.Major, x.req.Minor
	e.HasRequest = x.facts.HasRequest()
	e.URL = x.loggedURL()
	e.Hierarchy, e.Host = x.cached.Hierarchy(&x.fetch)
	e.ContentType = x.reply.MIME
	e.SNI = x.first.hello.ServerName
	e.AuthUser = x.login.Name(x.facts.Told)
	if told := x.facts.Told; told != nil {
		e.ExtLog = told.Log
	}
	if user := x.cl.user.Load(); user != nil {
		e.Ident = *user
	}
	e.Request, e.Reply = &x.req.Fields, &x.reply.Fields
	if x.cached.Served != nil {
		e.ReplyHead = x.cached.Served.Head
	}
	if len(e.ReplyHead) == 0 {
		e.ReplyHead = x.reply.Own
	}
	if !x.facts.HasRequest() {
		e.Major, e.Minor = 0, 0
	}
	if x.p.wantsFields && x.facts.HasRequest() {
		x.canonicalURL = x.req.AppendLogged(x.canonicalURL[:0])
		e.RequestFields = x.canonicalURL
	}
	if x.p.logsAskReply {
		x.facts.Reply = nil
		if !(x.req.Method == http1.CONNECT && x.reply.Status == 200) {
			x.facts.Reply = x.reply.AsSent(&x.p.fetch.Reply)
		}
	}
	return e
}

// noteOwn notes for cache_store_log that the client is answered by a reply of the proxy's
// own, with the status and media type of x.reply and a body of length bytes. 2.6 gives most
// of them 0 for a Last-Modified they do not have.
func noteOwn(x *transaction, length int, lastModified, expires int64) {
	if !x.p.logs.WantsStore() {
		return
	}
	now, r := time.Now().Unix(), &x.reply
	if expires == expiresNow {
		expires = now
	}
	x.entry.Own, x.entry.IsOwn = accesslog.StoreReply{Status: r.Status, Date: now, LastModified: lastModified, Expires: expires,
		ContentType: r.MIME, Announced: int64(length), Length: int64(length)}, true
}

// expiresNow has noteOwn show the present moment.
const expiresNow = -3

// noteNotModified is noteOwn for a 304 about what head is the head of. It is sent without
// Cache-Control, so that does not count.
func noteNotModified(x *transaction, head *http1.Reply) {
	if !x.p.logs.WantsStore() {
		return
	}
	e, now := &x.entry, time.Now()
	e.Own.Of(head, now)
	e.Own.Status, e.Own.Announced, e.Own.Length, e.Own.Expires, e.IsOwn = 304, -1, 0, -1, true
	if head.Has(http1.Expires) {
		at, ok := http1.ParseDate(head.Get(http1.Expires))
		if !ok {
			at = now
		}
		e.Own.Expires = at.Unix()
	}
}

// logOwn has cache_store_log show the reply of the proxy's own, or that the client left
// before there was any.
func logOwn(x *transaction) {
	e := &x.entry
	if !e.IsOwn {
		if !x.p.logs.WantsStore() || !x.fetch.Begun() || x.fetch.Answered() || x.req.MethodText == "CONNECT" {
			return
		}
		e.Own = accesslog.NoReply
	}
	line := accesslog.StoreEntry{Now: e.Now, Method: x.req.MethodText, URL: e.URL, Reply: e.Own}
	e.Pending = e.Pending.And(caching.Released(x.p.logs, &line))
}

// logQuery writes the line of an ICP query (log_icp_queries).
func (s *Server) logQuery(q peer.Query) {
	p := s.acquire()
	defer p.Release()
	now := time.Now()
	e := &accesslog.Entry{
		Now: now, Elapsed: now.Sub(q.Began), Client: q.From.Addr(), ClientPort: q.From.Port(),
		Tag: q.Tag, Size: int64(q.Size), Method: icp.Query.String(), URL: http1.AppendLoggedText(nil, q.URL),
	}
	p.log(context.Background(), &acl.Facts{Client: q.From.Addr()}, e)
	e.Pending.Wait()
}

// logRefresh writes the line of a refresh in the background, under the client that
// caused it, who was sent nothing of it.
func (s *Server) logRefresh(r *caching.Refreshed) {
	p, a := r.Policy.Holder.(*policy), r.Asked
	facts := *a.Facts
	e := accesslog.Entry{
		Now: time.Now(), Client: a.Client.Addr(), ClientPort: a.Client.Port(), Local: facts.Local, Tag: string(r.Tag),
		RequestSize: -1, Method: a.MethodText, Major: a.Major, Minor: a.Minor, HasRequest: true, Request: a.Fields,
		URL: a.URL.AppendLogged(nil, p.cfg.StripQueryTerms), Hierarchy: r.Code, Host: r.Host,
	}
	e.Elapsed = e.Now.Sub(a.Began)
	if p.cfg.LogUsesIndirectClient {
		e.Client = facts.Client
	}
	if r.Reply != nil {
		facts.Reply = &r.Reply.Fields
		e.Status, e.ContentType, e.Reply, e.ReplyHead = r.Reply.Status, r.Reply.Get(http1.ContentType), &r.Reply.Fields, r.Reply.Head
	}
	p.log(context.Background(), &facts, &e)
	e.Pending.Wait()
}

// logAgent writes useragent_log and referer_log, which show who was let in.
func (x *transaction) logAgent() {
	if !x.p.logs.WantsAgents() {
		return
	}
	e := &x.entry
	e.Now, e.Client, e.URL = time.Now(), x.cl.remote.Addr(), x.logURL
	if x.p.cfg.LogUsesIndirectClient {
		e.Client = x.client
	}
	e.UserAgent, e.Referer = x.req.Get(http1.UserAgent), x.req.Get(http1.Referer)
	x.p.logs.Agent(e)
}

// loggedURL is the URL as access.log shows it, or the word for a request that
// had none.
func (x *transaction) loggedURL() []byte {
	if len(x.logURL) > 0 {
		return x.logURL
	}
	if word := x.fault.LogURL(); word != "" {
		return append(x.logURL[:0], word...)
	}
	asked := x.target
	if len(asked) == 0 {
		asked = x.req.Target
	}
	x.logURL = http1.AppendLoggedText(x.logURL[:0], asked)
	return x.logURL
}
