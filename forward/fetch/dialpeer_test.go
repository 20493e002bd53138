package fetch

import (
	"context"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
)

// twofold is a Resolver for which every name has two addresses.
type twofold struct{ here }

func (twofold) Addrs(context.Context, string) (dns.Answer, error) {
	return dns.NewAnswer(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")), nil
}

// What fails on this side is no failure of a peer, however many addresses it has.
func TestShortageIsNoFailureOfThePeer(t *testing.T) {
	for _, c := range []struct {
		name  string
		names dns.Resolver
		err   error
		fails bool
	}{
		{"no socket, one address", here{}, os.NewSyscallError("socket", syscall.EMFILE), false},
		{"no socket, two addresses", twofold{}, os.NewSyscallError("socket", syscall.EMFILE), false},
		{"refused, one address", here{}, os.NewSyscallError("connect", syscall.ECONNREFUSED), true},
		{"refused, two addresses", twofold{}, os.NewSyscallError("connect", syscall.ECONNREFUSED), true},
	} {
		r := newRig(t, "cache_peer parent.test parent 3128 0 no-query no-digest no-netdb-exchange\nnever_direct allow all")
		r.env.Names = c.names
		dialled := 0
		r.env.Dialer.Dial = func(context.Context, origin.Key, origin.Wishes) (sock.Socket, error) {
			dialled++
			return nil, c.err
		}
		if o, why := r.env.Get(t.Context(), &r.policy, "http://o.test/", new(http1.Outgoing), acl.Facts{}); why == nil {
			o.Close()
			t.Errorf("%s: fetched", c.name)
		}
		if failures := r.policy.Peers.Status()[0].Failures; failures > 0 != c.fails || dialled == 0 {
			t.Errorf("%s: %d failures of the peer after %d calls", c.name, failures, dialled)
		}
	}
}
