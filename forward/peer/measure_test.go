package peer

import (
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
	"github.com/cuttle-proxy/cuttle/forward/peer/pinger"
)

// A site that requests go to is measured once in netdb_ping_period, and one that is
// near is asked directly then.
func TestSitesAreMeasured(t *testing.T) {
	if p, err := pinger.Open(); err != nil {
		t.Skip(err)
	} else {
		p.Close()
	}
	f := listening(t, "pinger_program /usr/lib/squid/pinger\ncache_peer "+anAddress().String()+" parent 1 0 no-query no-digest no-netdb-exchange default\n")
	ways := netdb.New(f.rig.cfg.NetDBLow, f.rig.cfg.NetDBHigh)
	f.rig.env.Ways = ways
	f.Start()
	host := anAddress().String()
	if got := f.rig.choice(t, "GET", "http://"+host+"/", ""); got != "DEFAULT_PARENT/"+f.rig.list[0].Name+" DIRECT" {
		t.Errorf("not measured yet: %s", got)
	}
	eventually(t, "it is not measured", func() bool { _, _, ok := ways.Host(host, time.Now()); return ok })
	if rtt, hops, _ := ways.Host(host, time.Now()); rtt < 1 || hops != 1 {
		t.Errorf("%v ms, %v hops", rtt, hops)
	}
	if got := f.rig.choice(t, "GET", "http://"+host+"/", ""); got != "DIRECT" {
		t.Errorf("near, and fetched by way of %s", got)
	}
	if ways.Due(netip.MustParseAddr(host), f.rig.cfg.NetDBPingPeriod, time.Now()) {
		t.Error("it is to be measured again at once")
	}
	eventually(t, "the peer is not measured", func() bool { _, _, ok := ways.Host(f.rig.list[0].Host, time.Now()); return ok })
}

// Without a line that names a pinger nothing is sent.
func TestNothingIsMeasuredUnasked(t *testing.T) {
	for _, lines := range []string{"", "pinger_program /bin/true\n"} {
		f := listening(t, lines+"cache_peer "+anAddress().String()+" parent 1 0 no-query\n")
		if f.rig.cfg.MeasuresWays || f.pings != nil {
			t.Errorf("%q: a socket is open", lines)
		}
	}
}
