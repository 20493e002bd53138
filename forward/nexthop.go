package forward

import (
	"context"
	"net/netip"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// newPeers makes the peers of a configuration.
func (s *Server) newPeers(cfg *conf.Config, lists *acl.Set) *peer.Set {
	return peer.New(cfg, lists, &peer.Env{
		Names: s.names, Log: s.parts.Log, Over: s.over,
		Connect: func(ctx context.Context, to netip.AddrPort) error {
			c, err := s.dial(ctx, origin.Key{To: to}, origin.LocalPorts{})
			if err == nil {
				c.Close()
			}
			return err
		},
	})
}

// tries counts attempts, as forwarding is given up after a number of them.
type tries struct{ all, direct int }

// Bounds on attempts, 2.6's own.
const (
	maxTries       = 10
	maxDirectTries = 3
)

// chooseHops lists the places to try, best first.
func (x *transaction) chooseHops() *failure {
	x.tries = tries{}
	q := peer.Question{Facts: &x.facts, URL: x.text, Client: x.cl.remote.Addr(), Loops: x.loops}
	if q.Pinned = x.pinned(); q.Pinned {
		q.PinnedTo = x.cl.pin.peer
	}
	var probed bool
	if x.hops, probed = x.p.peers.Select(x.context(), &q, x.hops[:0]); len(x.hops) > 0 {
		return nil
	}
	f := newFailure(errpage.CannotForward, 503)
	// The number is what 2.6's non-blocking sockets leave behind (fact "accel
	// ports never go direct").
	switch {
	case x.req.Method == http1.CONNECT:
		return f
	case probed:
		return f.because(nil, syscall.EINPROGRESS)
	}
	return f.because(nil, syscall.EAGAIN)
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

// speaks reports whether the next hop can be asked for the URL: a peer takes any
// scheme, an originserver too, and towards origins it is HTTP alone.
func (x *transaction) speaks() *failure {
	if x.hop.Peer != nil || x.url.Authority {
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
