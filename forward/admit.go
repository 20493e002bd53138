package forward

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/rewrite"
)

// admit asks whether the client may make this request at all.
func (x *transaction) admit() *failure.Failure {
	x.fillFacts()
	x.followForwardedFor()
	if f := x.ask(&x.p.lists.HTTPAccess); f != nil {
		return f
	}
	x.asks.Control = x.req.CacheControl()
	x.countLoops()
	return nil
}

// ask checks one list that gates requests.
func (x *transaction) ask(list *acl.List) *failure.Failure {
	a := list.Check(x.context(), &x.facts)
	x.facts.Told = a.Told
	if list == &x.p.lists.HTTPAccess {
		x.sayDecided("request", a)
	}
	switch {
	case a.Allowed():
		return nil
	case (a.Verdict == acl.Challenge || x.p.lists.AsksCredentials(a.Last)) && !x.facts.Transparent:
		return failure.CredentialsNeeded(a.Last, x.form.Accelerated)
	}
	if client := x.facts.Client; a.IPv4Only && x.cl.srv.strangers.May(client, x.now) {
		x.cl.srv.parts.Log.Info(fmt.Sprintf("WARNING: client %s denied: an access line allows it, but names no IPv6 address; name it in an acl src", client))
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
	if r == nil || !x.p.lists.URLRewriteAccess.Check(x.context(), &x.facts).Allowed() {
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
	if a := x.p.lists.MissAccess.Check(x.context(), &x.facts); !a.Allowed() {
		return failure.MissDenied(a.Last)
	}
	return nil
}

// countLoops counts how often Via names this proxy.
func (x *transaction) countLoops() {
	x.asks.Loops = 0
	if !x.req.Has(http1.Via) {
		return
	}
	for i := 0; i < x.req.Len(); i++ {
		if x.req.ID(i) == http1.Via {
			x.asks.Loops += bytes.Count(x.req.Value(i), []byte(x.p.viaName))
		}
	}
	if x.asks.Loops > 0 && x.cl.srv.loops.May(x.cl.remote.Addr(), x.now) {
		x.cl.srv.parts.Log.Info("WARNING: Forwarding loop detected for: " + x.req.MethodText + " " + string(x.canonicalURL))
	}
}

// followForwardedFor finds the client behind trusted proxies: from the right,
// each address of X-Forwarded-For is believed while the one that named it is
// allowed by follow_x_forwarded_for. With acl_uses_indirect_client off nothing
// is known of the next one, so only the last address can be believed.
func (x *transaction) followForwardedFor() {
	x.client = x.cl.remote.Addr()
	list := &x.p.lists.FollowXForwardedFor
	if list.Empty() || !x.req.Has(http1.XForwardedFor) {
		return
	}
	facts := x.facts
	chain := string(x.req.AppendList(nil, http1.XForwardedFor))
	for len(chain) > 0 && list.Check(x.context(), &facts).Allowed() {
		chain = strings.TrimRight(chain, forwardedSeparators)
		cut := strings.LastIndexAny(chain, forwardedSeparators) + 1
		addr, ok := forwardedAddress(chain[cut:])
		if !ok {
			break
		}
		x.client, facts.Client = addr, addr
		chain = chain[:cut]
		if !x.p.cfg.ACLUsesIndirectClient {
			return
		}
	}
	x.facts.Client = x.client
}

// forwardedSeparators stand between the addresses of X-Forwarded-For.
const forwardedSeparators = ", \t\r\n\v\f"

// forwardedAddress reads an address of X-Forwarded-For: of IPv6, or of IPv4 in
// any form the C library's inet_aton knows, as in 2.6: one to four numbers, the
// last filling what is left, octal after "0" and hexadecimal after "0x".
func forwardedAddress(text string) (netip.Addr, bool) {
	if strings.Contains(text, ":") {
		addr, err := netip.ParseAddr(text)
		return addr.Unmap(), err == nil && addr.Zone() == ""
	}
	var all uint64
	for bits := 32; ; {
		number, rest, more := strings.Cut(text, ".")
		n, ok := number32(number)
		switch {
		case !ok, more && (n > 255 || bits == 8), !more && n>>bits != 0:
			return netip.Addr{}, false
		case !more:
			all |= n
			return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
		}
		bits -= 8
		all |= n << bits
		text = rest
	}
}

// number32 reads a number of up to 32 bits as C writes it.
func number32(text string) (uint64, bool) {
	if text == "" || text[0] < '0' || text[0] > '9' || strings.ContainsAny(text, "_bBoO") && !strings.HasPrefix(strings.ToLower(text), "0x") {
		return 0, false // strconv knows more forms than C
	}
	n, err := strconv.ParseUint(text, 0, 32)
	return n, err == nil && !strings.Contains(text, "_")
}
