package forward

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/rewrite"
	"go.uber.org/zap"
)

// admit asks whether the client may make this request at all.
func (x *transaction) admit() *failure.Failure {
	x.fillFacts()
	x.client = x.p.lists.IndirectClient(x.context(), &x.facts, x.p.cfg.ACLUsesIndirectClient)
	if f := x.ask(&x.p.lists.HTTPAccess); f != nil {
		return f
	}
	x.asks.Control = x.req.CacheControl()
	x.asks.Loops = fetch.CountLoops(&x.req.Fields, x.p.viaName)
	if x.asks.Loops > 0 && x.cl.srv.loops.May(x.cl.remote.Addr(), x.now) {
		x.cl.srv.parts.Log.Info("WARNING: Forwarding loop detected for: {method} {url}",
			zap.String("method", x.req.MethodText), zap.ByteString("url", x.canonicalURL))
	}
	return nil
}

// ask checks one list that gates requests.
func (x *transaction) ask(list *acl.List) *failure.Failure {
	a := list.Ask(x.context(), &x.facts)
	if list.AsksHelpers() && x.cl.hasLeft(x.began) {
		return failure.ClientLeft()
	}
	if list == &x.p.lists.HTTPAccess {
		a.Say(x.cl.srv.say.Client, "request", x.req.MethodText, x.canonicalURL)
	}
	switch {
	case a.Allowed():
		return nil
	case (a.Verdict == acl.Challenge || x.p.lists.AsksCredentials(a.Last)) && !x.facts.Transparent:
		return failure.CredentialsNeeded(a.Last, x.form.Accelerated)
	}
	if client := x.facts.Client; a.IPv4Only && x.cl.srv.strangers.May(client, x.now) {
		x.cl.srv.parts.Log.Info("WARNING: client {client} denied: an access line allows it, but names no IPv6 address; name it in an acl src",
			zap.Stringer("client", client))
	}
	if srv := x.cl.srv; x.facts.Dialled.IsValid() {
		srv.fetching.Hosts.CountDenied(srv.names, srv.parts.Log, &x.facts, x.now)
	}
	return failure.AccessDenied(a.Last)
}

// rewrite asks url_rewrite_program whether the client is to get something else, or to be
// sent elsewhere: then redirect is what it is told. The log keeps the URL as it was asked for
// (fact "A rewriter line is"), all else follows the new one.
func (x *transaction) rewrite() (redirect rewrite.Answer, f *failure.Failure) {
	r := x.p.helpers.rewriters.URL
	if r == nil || !x.p.lists.URLRewriteAccess.Ask(x.context(), &x.facts).Allowed() {
		return redirect, nil
	}
	a, changed, ok := r.Apply(x.context(), x.question(), &x.url, x.req.Method, &x.p.url)
	if !ok {
		return redirect, failure.RewriterGone()
	}
	if a.Group != "" {
		x.facts.URLGroup = a.Group
	}
	if changed {
		x.canonicalURL = x.url.AppendCanonical(x.canonicalURL[:0])
		x.form.Rewritten, x.form.HostPort = true, 0
		x.facts.Dialled, x.facts.To = netip.AddrPort{}, netip.Addr{} // the client claimed nothing about this one
	}
	return a, nil
}

// question is what rewriters are told of the request.
func (x *transaction) question() *rewrite.Question {
	client := x.cl.remote.Addr()
	name, _ := x.cl.srv.names.KnownName(client)
	user := x.facts.Told.Name()
	if known := x.cl.user.Load(); user == "" && known != nil {
		user = *known
	}
	return &rewrite.Question{URL: x.canonicalURL, Client: client, Name: name, User: user, Method: x.req.MethodText, Group: x.facts.URLGroup}
}

// mayMiss decides about requests that need another server.
func (x *transaction) mayMiss() *failure.Failure {
	switch x.url.Scheme {
	case http1.SchemeURN:
		return failure.NoURN()
	case http1.SchemeInternal:
		return failure.NoObject()
	case http1.SchemeCacheObject:
		return failure.NoAction() // there is no manager yet: every action is an unknown one
	}
	if x.asks.Control.Has(http1.CCOnlyIfCached) {
		return failure.OnlyIfCached()
	}
	if x.asks.Loops > 1 {
		return failure.Loop()
	}
	if a := x.p.lists.MissAccess.Ask(x.context(), &x.facts); !a.Allowed() {
		return failure.MissDenied(a.Last)
	}
	return nil
}
