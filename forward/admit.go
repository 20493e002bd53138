package forward

import (
	"bytes"
	"fmt"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// admit asks whether the client may make this request at all.
func (x *transaction) admit() *failure {
	x.fillFacts()
	x.followForwardedFor()
	lists := x.p.lists
	if f := x.ask(&lists.HTTPAccess); f != nil {
		return f
	}
	if f := x.ask(&lists.HTTPAccess2); f != nil {
		return f
	}
	x.control = x.req.CacheControl()
	x.countLoops()
	return nil
}

// ask checks one list that gates requests.
func (x *transaction) ask(list *acl.List) *failure {
	a := list.Check(x.context(), &x.facts)
	x.facts.Told = a.Told
	switch {
	case a.Allowed():
		return nil
	case (a.Verdict == acl.Challenge || x.p.lists.AsksCredentials(a.Last)) && !x.facts.Transparent:
		f := refusal(errpage.CacheAccessDenied, 407)
		if x.accel {
			f.status = 401
		}
		f.aclName, f.challenge = a.Last, true
		return f
	}
	if client := x.facts.Client; a.IPv4Only && x.srv.strangers.mayReport(client, x.clock()) {
		x.srv.parts.Log.Info(fmt.Sprintf("WARNING: client %s denied: an access line allows it, but names no IPv6 address; name it in an acl src", client))
	}
	f := refusal(errpage.AccessDenied, 403)
	f.aclName = a.Last
	return f
}

// mayMiss decides about requests that need another server.
func (x *transaction) mayMiss() *failure {
	if x.control.Has(http1.CCOnlyIfCached) {
		return newFailure(errpage.OnlyIfCachedMiss, 504)
	}
	if x.loops > 1 {
		return refusal(errpage.CannotForward, 504)
	}
	if a := x.p.lists.MissAccess.Check(x.context(), &x.facts); !a.Allowed() {
		f := newFailure(errpage.ForwardingDenied, 403)
		f.aclName = a.Last
		return f
	}
	return nil
}

// countLoops counts how often Via names this proxy.
func (x *transaction) countLoops() {
	x.loops = 0
	if !x.req.Has(http1.Via) {
		return
	}
	for i := 0; i < x.req.Len(); i++ {
		if x.req.ID(i) == http1.Via {
			x.loops += bytes.Count(x.req.Value(i), []byte(x.p.viaName))
		}
	}
	if x.loops > 0 {
		x.srv.parts.Log.Info("WARNING: Forwarding loop detected for: " + x.req.MethodText + " " + string(x.text))
	}
}
