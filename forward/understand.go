package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/targeturi"
)

// understand turns the head into a URL, a way of framing the body and the
// facts access lists look at.
func (x *transaction) understand() *failure.Failure {
	x.reply.Hop.Bare = x.fault == http1.NoFault && x.req.Major < 1
	x.facts.Method = x.req.Method // all that lists see of a refused request
	switch x.fault {
	case http1.NoFault, http1.InvalidURL, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming:
	default:
		return failure.OfFault(x.fault) // nothing to be learned from the rest
	}
	if x.fault == http1.NoFault && x.client11() && !x.req.Has(http1.Host) && !x.cl.intercepted {
		// RFC 9112 section 3.2; who is intercepted did not ask us, and said by
		// dialling where it wants to go.
		x.fault = http1.InvalidRequest
		return failure.OfFault(x.fault)
	}
	fault := x.findTarget()
	if fault != http1.NoFault {
		x.fault, x.reply.Hop.Bare = fault, false // 2.6 answers a request it makes no URL of as one of HTTP/1.0
		return failure.OfFault(fault)
	}
	if x.fault != http1.NoFault {
		return failure.OfFault(x.fault)
	}
	if fault = x.url.Parse(x.req.Method, x.target, &x.p.url); fault != http1.NoFault {
		x.fault = fault
		return failure.OfFault(fault)
	}
	x.form.Internal = x.form.Internal || x.p.isOwn(x.req.Method, &x.url)
	x.logURL = x.url.AppendLogged(x.logURL[:0], x.p.cfg.StripQueryTerms)
	x.canonicalURL = x.url.AppendCanonical(x.canonicalURL[:0])
	if !x.url.Scheme.Serves(x.req.Method) {
		return failure.MethodUnserved()
	}
	options := x.p.request
	options.HTTP11 = x.port.HTTP11
	if x.body, fault = x.req.Body(&options); fault != http1.NoFault {
		x.fault = fault
		return failure.OfFault(fault)
	}
	if x.req.Method == http1.CONNECT {
		x.body = http1.Body{} // what follows is the tunnel's
	}
	x.reply.Keep = x.req.Persistent(x.req.Major, x.req.Minor, x.port.HTTP11)
	if limit := x.p.cfg.RequestBodyMaxSize; limit > 0 && x.body.Length > limit {
		x.fillFacts()
		x.client = x.cl.remote.Addr()
		return failure.BodyTooLarge()
	}
	return nil
}

// findTarget decides what URL was asked for.
func (x *transaction) findTarget() (fault http1.Fault) {
	r := targeturi.Request{Request: &x.req, Port: x.port, Local: x.cl.facing(), Dialled: x.cl.meant, Bound: x.p.cfg.HostVerify,
		Unique: x.p.unique, Static: x.p.cfg.GlobalInternalStatic}
	x.target, x.form, fault = r.Append(x.target[:0])
	return fault
}

// fillFacts gathers what access lists look at once the URL is known.
func (x *transaction) fillFacts() {
	x.facts = acl.Facts{
		Client:      x.cl.remote.Addr(),
		Local:       x.cl.own(x.p),
		ClientPort:  x.cl.remote.Port(),
		Method:      x.req.Method,
		MethodText:  x.req.MethodText,
		URL:         &x.url,
		Request:     &x.req.Fields,
		URLGroup:    x.port.URLGroup,
		Accelerated: x.form.Accelerated,
		Internal:    x.form.Internal,
		Transparent: x.form.Rebuilt && !x.form.Accelerated,
		Conn:        x.cl,
		Login:       &x.login,
	}
	x.login.Source = auth.Source{
		Authenticator: x.p.helpers.auth, Fields: &x.req.Fields, Method: x.req.MethodText, Facts: &x.facts,
		Client: x.cl.remote.Addr(), Conn: &x.cl.login,
		ShortcutTTL: x.p.cfg.AuthenticateIPShortcircuitTTL, Shortcuts: &x.p.lists.IPShortcircuit,
	}
	tunnel := x.req.Method == http1.CONNECT // TLS that is passed on: always to where the client dialled
	if x.claims() || tunnel && x.cl.intercepted && x.form.Rebuilt {
		x.facts.Dialled = x.cl.meant
		if tunnel || x.p.cfg.ClientDstPassthru {
			x.facts.To = x.cl.meant.Addr()
		}
	}
}

// beginReply tells the reply of the client it goes to.
func (x *transaction) beginReply() {
	r := &x.reply
	x.out.until, x.out.patience = x.p.lifetime(x.now), x.p.cfg.ReadTimeout
	r.Policy, r.To, r.Ctx, r.Facts = &x.p.reply, &x.out, x.context(), &x.facts
	r.Until = x.out.until
	r.Hop = reply.Hop{
		Method: x.req.Method, HTTP11: x.port.HTTP11, Client11: x.client11(), Bare: r.Hop.Bare,
		Connection: x.form.Rebuilt || x.form.Accelerated || x.client11(),
		Session:    !x.form.Accelerated && !x.form.Rebuilt,
	}
}
