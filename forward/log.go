package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// log writes the transaction's line and forgets what it pointed to.
func (x *transaction) log() {
	x.cl.srv.requests.Add(1)
	if x.fetch.Begun() {
		x.fetch.CountVerified()
	}
	e := &x.entry
	x.now = time.Now()
	e.Now, e.Elapsed = x.now, x.now.Sub(x.began)
	e.Client, e.ClientPort = x.cl.remote.Addr(), x.cl.remote.Port()
	if x.p.cfg.LogUsesIndirectClient && x.hasRequest() {
		e.Client = x.client
	}
	e.Local = x.cl.own(x.p)
	e.Tag, e.Status, e.Size = x.tag, x.reply.Status, x.reply.Sent
	e.RequestSize = int64(x.head)
	if x.hasRequest() {
		e.RequestSize += x.req.ContentLength() // -1 for none, as in 2.6
	}
	e.Method = x.req.MethodText
	e.Major, e.Minor = x.req.Major, x.req.Minor
	e.HasRequest = x.hasRequest()
	e.URL = x.loggedURL()
	e.Hierarchy, e.Host = x.hierarchy()
	e.ContentType = x.reply.MIME
	e.SNI = x.tls.hello.ServerName
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
	if !x.hasRequest() {
		e.Major, e.Minor = 0, 0
	}
	if x.p.wantsFields && x.hasRequest() {
		x.canonicalURL = x.req.AppendLines(x.canonicalURL[:0])
		e.RequestFields = x.canonicalURL
	}
	x.writeLog(e)
}

// writeLog writes the entry to every log whose ACLs match.
func (x *transaction) writeLog(e *accesslog.Entry) {
	lists := x.p.lists
	if x.p.logsAskReply {
		x.showReply()
	}
	if !lists.LogAccess.Check(x.context(), &x.facts).Allowed() {
		return
	}
	for i, line := range x.p.logs.Lines() {
		if !lists.AccessLogs[i].Match(x.context(), &x.facts) {
			continue
		}
		if line.Conf.Kind == conf.LogNone {
			break
		}
		line.Write(e)
	}
}

// logQuery writes the line of an ICP query (log_icp_queries).
func (s *Server) logQuery(q peer.Query) {
	p := s.acquire()
	defer p.Release()
	facts := acl.Facts{Client: q.From.Addr()}
	if !p.lists.LogAccess.Check(context.Background(), &facts).Allowed() {
		return
	}
	now := time.Now()
	e := accesslog.Entry{
		Now: now, Elapsed: now.Sub(q.Began), Client: q.From.Addr(), ClientPort: q.From.Port(),
		Tag: q.Tag, Size: int64(q.Size), Method: icp.Query.String(), URL: http1.AppendLoggedText(nil, q.URL),
	}
	for i, line := range p.logs.Lines() {
		if !p.lists.AccessLogs[i].Match(context.Background(), &facts) {
			continue
		}
		if line.Conf.Kind == conf.LogNone {
			break
		}
		line.Write(&e)
	}
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
	if x.hasURL {
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

// showReply puts the fields of the reply as the client got it into the facts,
// be it the origin's or one of the proxy's own: that is what lists for logs see.
func (x *transaction) showReply() {
	x.facts.Reply = nil
	if x.reply.Status == 0 || x.req.Method == http1.CONNECT && x.reply.Status == 200 {
		return
	}
	var sent http1.Reply
	head := x.reply.Fields.Append(http1.AppendStatusLine(nil, 0, x.reply.Status))
	if _, state := sent.Parse(head, true, &x.p.fetch.Reply); state == http1.Complete {
		x.facts.Reply = &sent.Fields
	}
}

// hierarchy is the log's code of the hop the reply came from, and its name.
func (x *transaction) hierarchy() (code, host string) {
	if from := &x.cached.From; from.Code != "" {
		return from.Code, from.Host
	}
	return x.fetch.Hierarchy()
}
