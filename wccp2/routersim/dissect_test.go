package routersim

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dissect"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// wiretap is a bench whose datagrams are all kept.
type wiretap struct {
	*bench
	seen []dissect.Datagram
}

func (w *wiretap) exchange(c *simcache.Cache, datagram []byte) {
	w.seen = append(w.seen, dissect.Datagram{From: c.Address, To: routerAddress, Payload: datagram})
	for _, d := range w.say(c, datagram) {
		w.seen = append(w.seen, dissect.Datagram{From: routerAddress, To: d.To.Addr(), Payload: d.Payload})
	}
}

// converse joins, assigns, shows the result and asks, which is every message there is.
func (w *wiretap) converse(assign func(c *simcache.Cache) []byte, caches ...*simcache.Cache) {
	for range 2 {
		for _, c := range caches {
			w.exchange(c, c.HereIAm())
		}
	}
	w.exchange(caches[0], caches[0].HereIAm())
	w.exchange(caches[0], assign(caches[0]))
	for _, c := range caches {
		w.exchange(c, c.HereIAm())
	}
	w.router.Query()
	for _, d := range w.router.Take(w.now) {
		w.seen = append(w.seen, dissect.Datagram{From: routerAddress, To: d.To.Addr(), Payload: d.Payload})
	}
}

func TestWiresharkFindsNothingMalformed(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs tshark")
	}
	hash := func(c *simcache.Cache) []byte {
		return c.AssignHash(c.Address, c.Address.Next(), netip.Addr{})
	}
	mask := func(c *simcache.Cache) []byte {
		return c.AssignMask(lastBit(c.Address, c.Address.Next()))
	}
	for name, test := range map[string]struct {
		config Config
		assign func(c *simcache.Cache) []byte
		shape  func(c *simcache.Cache)
	}{
		"hash":       {Config{AnyService: true}, hash, func(*simcache.Cache) {}},
		"md5":        {Config{AnyService: true, Password: "secret"}, hash, func(c *simcache.Cache) { c.Password = "secret" }},
		"mask":       {Config{AnyService: true}, mask, func(c *simcache.Cache) { c.Assignment = wire.MethodMask }},
		"mask short": {Config{AnyService: true, MaskView: MaskViewShort}, mask, func(c *simcache.Cache) { c.Assignment = wire.MethodMask }},
		"mask echo":  {Config{AnyService: true, MaskView: MaskViewEcho}, mask, func(c *simcache.Cache) { c.Assignment = wire.MethodMask }},
		"bare":       {Config{AnyService: true, NoCapabilities: true}, hash, func(*simcache.Cache) {}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wiretap{bench: newBench(t, test.config)}
			one, two := w.cache(20, requests), w.cache(21, requests)
			test.shape(one)
			test.shape(two)
			w.converse(test.assign, one, two)
			if !w.happened(Assigned) || !w.happened(CacheQueried) {
				t.Fatalf("events %v", w.names())
			}
			opinion, err := dissect.Ask(w.seen)
			if err != nil {
				t.Fatal(err)
			}
			if opinion.WCCP != len(w.seen) || len(opinion.Complaints) > 0 {
				t.Errorf("%d of %d taken for WCCP, complaints %q", opinion.WCCP, len(w.seen), opinion.Complaints)
			}
		})
	}
}

// The second opinion has to be one.
func TestWiresharkSeesATruncatedMessage(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs tshark")
	}
	c := &simcache.Cache{Address: netip.MustParseAddr("10.66.0.20"), Service: requests}
	whole := c.HereIAm()
	opinion, err := dissect.Ask([]dissect.Datagram{{From: c.Address, To: routerAddress, Payload: whole[:len(whole)-30]}})
	if err != nil || len(opinion.Complaints) != 1 {
		t.Errorf("%+v %v", opinion, err)
	}
}

// Wireshark's dissector, which knows revision 1 of version 2 from its authors, finds our
// IPv6 addresses where we put them: in the table, by indices from 1 on, of which the upper
// half is nothing.
func TestWiresharkReadsTheAddressTable(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs tshark")
	}
	at := netip.MustParseAddr("fd66::1")
	one, two := &simcache.Cache{Address: netip.MustParseAddr("fd66::20"), Router: at, Service: requests, Weight: 1},
		&simcache.Cache{Address: netip.MustParseAddr("fd66::21"), Router: at, Service: requests, Weight: 1}
	router := New(Config{Address: at, AnyService: true})
	carrier := netip.MustParseAddr("10.66.0.1") // the capture is of IPv4
	var seen []dissect.Datagram
	tell := func(c *simcache.Cache, datagram []byte) {
		seen = append(seen, dissect.Datagram{From: carrier, To: carrier, Payload: datagram})
		router.Receive(epoch, netip.AddrPortFrom(c.Address, wire.Port), datagram)
		for _, d := range router.Take(epoch) {
			seen = append(seen, dissect.Datagram{From: carrier, To: carrier, Payload: d.Payload})
			if d.To.Addr() == c.Address {
				c.See(d.Payload)
			}
		}
	}
	for range 3 {
		tell(one, one.HereIAm())
		tell(two, two.HereIAm())
	}
	tell(one, one.AssignHash(one.Address, two.Address))
	mask, none := netip.MustParseAddr("::1:0:4"), netip.IPv6Unspecified()
	tell(one, one.AssignMask(wire.MaskValueSet{Mask: wire.Mask{SrcAddr: mask, DstAddr: none}, Values: []wire.Value{
		{Mask: wire.Mask{SrcAddr: none, DstAddr: none}, Cache: one.Address}, {Mask: wire.Mask{SrcAddr: mask, DstAddr: none}, Cache: two.Address},
	}}))
	text, err := dissect.Explain(seen)
	if err != nil {
		t.Fatal(err)
	}
	opinion, err := dissect.Ask(seen)
	if err != nil || opinion.WCCP != len(seen) || len(opinion.Complaints) > 0 {
		t.Errorf("%+v, %v", opinion, err)
	}
	for _, want := range []string{"0x0201", "Address Table", "fd66::1", "fd66::20", "fd66::21", "Source Address: ::1:0:4"} {
		if !strings.Contains(text, want) {
			t.Errorf("Wireshark does not see %q", want)
		}
	}
	if strings.Contains(text, "INVALID") || t.Failed() {
		t.Errorf("%d datagrams:\n%s", len(seen), text)
	}
}
