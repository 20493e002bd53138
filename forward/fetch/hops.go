package fetch

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/zap"
)

// Choose lists the hops to try, best first.
func (f *Fetch) Choose() *failure.Failure {
	q := peer.Question{
		Facts: f.req.Facts, URL: f.req.CanonicalURL, Client: f.req.Client.Addr(), Loops: f.req.Loops, Reload: f.req.reloads(), Own: f.req.Own,
		MethodText: f.req.MethodText, Major: f.req.Major, Minor: f.req.Minor, Head: f,
	}
	f.askPinned(&q)
	f.hops, f.choice = f.policy.Peers.Select(f.ctx, &q, f.hops[:0])
	f.sayHops()
	if len(f.hops) == 0 && f.ctx.Err() == nil {
		f.noHop()
	}
	switch {
	case f.ctx.Err() != nil:
		f.hops = f.hops[:0] // nobody waits any more
		return failure.NoHop(0)
	case len(f.hops) > 0:
		return nil
	case f.req.Method == http1.CONNECT:
		return failure.NoHop(0)
	case f.choice.Probed:
		// The number is what 2.6's non-blocking sockets leave behind (fact
		// "accel ports never go direct").
		return failure.NoHop(syscall.EINPROGRESS)
	}
	return failure.NoHop(syscall.EAGAIN)
}

// noHop tells that there is nowhere to go with the request.
func (f *Fetch) noHop() {
	if f.choice.Late {
		f.note(peer.TimedOutNone, "")
	}
	if !f.env.Nowhere.May(f.req.Client.Addr(), time.Now()) {
		return
	}
	f.env.Log.Info("Failed to select source for '{url}'", zap.ByteString("url", f.req.URL.AppendLogged(nil, f.policy.Config.StripQueryTerms)))
	f.env.Log.Info("  always_direct = {answer}", zap.Int("answer", f.choice.Always))
	f.env.Log.Info("   never_direct = {answer}", zap.Int("answer", f.choice.Never))
	late := 0
	if f.choice.Late {
		late = 1
	}
	f.env.Log.Info("       timedout = {late}", zap.Int("late", late))
}

// Connect opens the connection of a tunnel. Only the best hop is tried, and once:
// 2.6 neither repeats a tunnel nor takes another parent for it.
func (f *Fetch) Connect() *failure.Failure {
	f.hop = &f.hops[0]
	why := f.connect(f.req.Began.Add(f.policy.Config.ForwardTimeout))
	if why == nil {
		return nil
	}
	if de := (*dns.Error)(nil); errors.As(why.Err, &de) {
		why.Status = 404
		f.host = f.host[:0]
	}
	return why
}

// ConnectTo opens a connection to an address, whatever the request's URL.
func (f *Fetch) ConnectTo(to netip.AddrPort) *failure.Failure {
	f.hops = append(f.hops[:0], peer.Hop{Code: peer.Direct})
	f.hop = &f.hops[0]
	host := http1.View(f.req.URL.Host)
	f.tunnel = true
	f.note(peer.Direct, host)
	cfg := f.policy.Config
	return f.dial(host, addresses{only: to.Addr()}, to.Port(), cfg.ConnectTimeout, f.req.Began.Add(cfg.ForwardTimeout))
}

// Conn is the connection of a tunnel, for both ends of it to be joined.
func (f *Fetch) Conn() *sock.Conn { return f.conn.Conn }

// BeginsAtPeer reports whether the best hop that Choose found is a peer.
func (f *Fetch) BeginsAtPeer() bool { return len(f.hops) > 0 && f.hops[0].Peer != nil }

// SentAuthorization reports whether the hop was sent credentials for the origin, whoever's.
func (f *Fetch) SentAuthorization() bool { return f.authorized }

// ToPeer reports whether the hop is a peer, which is told the request as such.
func (f *Fetch) ToPeer() bool { return f.hop.Peer != nil }

// ToProxyOnly reports whether the hop is a peer whose replies are not stored here.
func (f *Fetch) ToProxyOnly() bool { return f.hop.Peer != nil && f.hop.Peer.ProxyOnly }

// Undelayed reports whether the hop is a peer whose replies no delay pool slows down
// (no-delay).
func (f *Fetch) Undelayed() bool { return f.hop != nil && f.hop.Peer != nil && f.hop.Peer.NoDelay }

// AppendHead appends the head that goes to the hop.
func (f *Fetch) AppendHead(dst []byte) []byte { return f.requestHead(dst) }

// Patience is until when the next hop may stay silent.
func (f *Fetch) Patience() time.Time { return f.patience() }
