package routersim

import (
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// FuzzReceive feeds a router with a member anything at all: it must not panic, not
// grow, and give away nothing to who does not know the password.
func FuzzReceive(f *testing.F) {
	seed := &simcache.Cache{Address: netip.MustParseAddr("10.66.0.20"), Router: routerAddress, Service: requests}
	f.Add(seed.HereIAm())
	signed := *seed
	signed.Password = "guess"
	f.Add(signed.HereIAm())
	f.Add([]byte{0, 0, 0, 7, 0, 0, 0, 4})
	f.Add([]byte{0, 0, 0, 12, 2, 0, 0, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		open := New(Config{Address: routerAddress, AnyService: true})
		closed := New(Config{Address: routerAddress, AnyService: true, Password: "secret"})
		from := netip.AddrPortFrom(seed.Address, wire.Port)
		for _, r := range []*Router{open, closed} {
			for i := range 3 {
				r.Receive(epoch.Add(time.Duration(i)*DefaultInterval), from, datagram)
				r.Take(epoch.Add(time.Duration(i) * DefaultInterval))
			}
			r.Advance(epoch.Add(time.Hour))
			r.Status(epoch.Add(time.Hour))
		}
		if len(closed.groups) != 0 {
			t.Errorf("a group formed without the password: %x", datagram)
		}
	})
}
