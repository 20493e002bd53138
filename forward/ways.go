package forward

import (
	"bytes"
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// way is one place a request may be sent to.
type way struct {
	// code is the hierarchy code of the log: DIRECT, FIRST_UP_PARENT, …
	code string
	// peer is nil for the origin itself.
	peer *peer
	// pinned is the connection tied to the client; the log does not tell of it.
	pinned bool
}

// tries counts attempts, as forwarding is given up after a number of them.
type tries struct{ all, direct int }

// Bounds on attempts, 2.6's own.
const (
	maxTries       = 10
	maxDirectTries = 3
)

// Hierarchy codes.
const (
	codeDirect     = "DIRECT"
	codeDefault    = "DEFAULT_PARENT"
	codeRoundRobin = "ROUNDROBIN_PARENT"
	codeFirstUp    = "FIRST_UP_PARENT"
	codeAny        = "ANY_PARENT"
	codeCARP       = "CARP"
	codeSourceHash = "SOURCEHASH_PARENT"
	codeUserHash   = "USERHASH_PARENT"
)

// chooseWays lists the places to try, best first.
func (x *transaction) chooseWays() *failure {
	x.ways, x.tries, x.probed = x.ways[:0], tries{}, false
	peers := x.p.peers
	direct := x.directness()
	if w, ok := x.pinnedWay(direct); ok {
		x.ways = append(x.ways, w)
	}
	switch {
	case direct == mustDirect:
		x.ways = append(x.ways, way{code: codeDirect})
	case direct == neverDirect:
		x.ways = peers.some(x, x.ways)
		x.ways = peers.all(x, x.ways)
	case len(peers.list) == 0:
		x.ways = append(x.ways, way{code: codeDirect})
	case x.p.cfg.PreferDirect:
		x.ways = append(x.ways, way{code: codeDirect})
		x.ways = peers.forMaybe(x, x.ways)
	default:
		x.ways = peers.forMaybe(x, x.ways)
		x.ways = append(x.ways, way{code: codeDirect})
	}
	if len(x.ways) == 0 {
		f := newFailure(errpage.CannotForward, 503)
		if x.req.Method == http1.CONNECT {
			return f
		}
		// The number is what 2.6's non-blocking sockets leave behind (fact
		// "accel ports never go direct").
		if x.probed {
			return f.because(nil, syscall.EINPROGRESS)
		}
		return f.because(nil, syscall.EAGAIN)
	}
	return nil
}

// mayBegin refuses what would have to be fetched while the proxy is stopping, and
// fetches nothing for a client that is known to have left.
func (x *transaction) mayBegin() *failure {
	x.cl.heedHangUp()
	if x.srv.stopping.Load() {
		return newFailure(errpage.ShuttingDown, 503)
	}
	return nil
}

// servesScheme tells of URLs that no other server is asked for, and of those
// this release cannot fetch.
func (x *transaction) servesScheme() *failure {
	switch x.url.Scheme {
	case http1.SchemeURN:
		return newFailure(errpage.URNResolve, 404)
	case http1.SchemeInternal:
		return newFailure(errpage.InvalidRequest, 404)
	case http1.SchemeCacheObject:
		// There is no manager yet: every action is an unknown one.
		return newFailure(errpage.InvalidURL, 404)
	}
	return nil
}

// speaks reports whether x.way can be asked for the URL: a peer takes any scheme,
// an originserver too, and on the direct way it is HTTP alone.
func (x *transaction) speaks() *failure {
	if x.way.peer != nil || x.url.Authority {
		return nil
	}
	switch x.url.Scheme {
	case http1.SchemeHTTP:
		return nil
	case http1.SchemeFTP:
		return finalFailure(errpage.FTPDisabled, 503)
	}
	return finalFailure(errpage.UnsupportedRequest, 501)
}

// directness is whether a request goes to the origin itself.
type directness uint8

const (
	maybeDirect directness = iota
	mustDirect
	neverDirect
)

func (x *transaction) directness() directness {
	lists := x.p.lists
	switch {
	case !lists.AlwaysDirect.Empty() && lists.AlwaysDirect.Check(x.context(), &x.facts).Allowed():
		return mustDirect
	case !lists.NeverDirect.Empty() && lists.NeverDirect.Check(x.context(), &x.facts).Allowed():
		return neverDirect
	case x.accel:
		return neverDirect
	case x.loops > 0:
		return mustDirect
	}
	return maybeDirect
}

// hierarchical reports whether a parent is of use for the request: one whose
// answer it could have cached.
func (x *transaction) hierarchical() bool {
	switch {
	case x.req.Has(http1.Authorization) || len(x.url.Userinfo) > 0:
		return false
	case x.req.Method == http1.TRACE:
		return true
	case x.req.Method != http1.GET:
		return false
	}
	for _, word := range x.p.cfg.HierarchyStoplist {
		if bytes.Contains(x.text, []byte(word)) {
			return false
		}
	}
	return x.loops == 0 && x.url.Scheme != http1.SchemeWAIS && x.url.Scheme != http1.SchemeCacheObject
}
