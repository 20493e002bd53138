package peer

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"go.uber.org/zap"
)

// Cache is what neighbours may learn of the cache. Its methods are safe for
// concurrent use and wait for nothing.
type Cache interface {
	// Find gives the object that answers a GET or HEAD for the URL, looked up as it is
	// written, when it stays fresh for that long; with a negative time, when it is there
	// at all.
	Find(method http1.Method, url []byte, fresh time.Duration) (htcp.Object, bool)
	// Remove takes the object of a GET out and reports whether it was there.
	Remove(url []byte) bool
	// Objects are what goes into the digest: what neighbours may have.
	digest.Objects
}

// knowledge answers what the servers of a socket ask. It is used by one goroutine.
type knowledge struct {
	l     *Local
	facts acl.Facts
}

func (k *knowledge) use(l *Local) { k.l = l }

// atOnce is a context in which nobody waits: what access lists would have to look
// up counts as not found, as with 2.6's fast lists.
var atOnce = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Fresh implements icp.Knowledge.
func (k *knowledge) Fresh(url []byte, d time.Duration) bool {
	if k.l.Config.ICPHitStale {
		d = -1
	}
	_, ok := k.l.Cache.Find(http1.GET, url, d)
	return ok
}

// Find implements htcp.Knowledge.
func (k *knowledge) Find(method http1.Method, url []byte, fresh time.Duration) (htcp.Object, bool) {
	return k.l.Cache.Find(method, url, fresh)
}

// Remove implements htcp.Knowledge.
func (k *knowledge) Remove(url []byte) bool { return k.l.Cache.Remove(url) }

// Allowed implements icp.Knowledge.
func (k *knowledge) Allowed(from netip.AddrPort, url *http1.URL) bool {
	return k.check(&k.l.Lists.ICPAccess, from, http1.GET, url)
}

func (k *knowledge) check(list *acl.List, from netip.AddrPort, method http1.Method, url *http1.URL) bool {
	k.facts = acl.Facts{Client: from.Addr(), Method: method, URL: url, Request: &noFields}
	return list.Check(atOnce, &k.facts).Allowed()
}

var noFields http1.Fields

// TestsReachability implements icp.Knowledge. Where nothing was ever measured from
// here nothing is known to be out of reach.
func (k *knowledge) TestsReachability() bool {
	ways := k.l.Peers.env.Ways
	return k.l.Config.TestReachability && ways != nil && ways.Measures()
}

// Unmeasured implements icp.Knowledge.
func (k *knowledge) Unmeasured(host []byte) { k.l.Peers.noteSite(http1.View(host)) }

// RoundTrip implements icp.Knowledge.
func (k *knowledge) RoundTrip(host []byte) (ms, hops int, ok bool) {
	ways := k.l.Peers.env.Ways
	if ways == nil {
		return 0, 0, false
	}
	rtt, n, ok := ways.Host(http1.View(host), k.l.Peers.env.now())
	return rounded(rtt), rounded(n), ok
}

// overHTCP is knowledge as HTCP asks it.
type overHTCP struct{ *knowledge }

// Allowed implements htcp.Knowledge.
func (k overHTCP) Allowed(from netip.AddrPort, method http1.Method, url *http1.URL) bool {
	return k.check(&k.l.Lists.HTCPAccess, from, method, url)
}

// MayClear implements htcp.Knowledge.
func (k overHTCP) MayClear(from netip.AddrPort, method http1.Method, url *http1.URL) bool {
	return k.check(&k.l.Lists.HTCPClrAccess, from, method, url)
}

// RoundTrip implements htcp.Knowledge.
func (k overHTCP) RoundTrip(host []byte) (ms, hops int) {
	ms, hops, _ = k.knowledge.RoundTrip(host)
	return ms, hops
}

// warnOf tells of a sender that is refused again and again.
func (n *Neighbours) warnOf(r *icp.Refused) {
	n.log.Info("WARNING: Probable misconfigured neighbor at {peer}", zap.Stringer("peer", r.From))
	n.log.Info("WARNING: {denied} of the last {replies} ICP replies are DENIED", zap.Int("denied", int(r.Refused)), zap.Int("replies", int(r.Queries)))
	n.log.Info("WARNING: No replies will be sent for the next hour")
}
