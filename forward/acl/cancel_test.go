package acl

import (
	"context"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// leaving is a DNS that never answers: the client leaves while the first lookup
// is under way.
type leaving struct {
	dns.Resolver
	leave context.CancelFunc
	asked int
}

func (l *leaving) Look(ctx context.Context, _ string) (dns.Answer, error) {
	l.asked++
	l.leave()
	<-ctx.Done()
	return dns.Answer{}, ctx.Err()
}

func (l *leaving) Name(ctx context.Context, _ netip.Addr) (string, error) {
	l.asked++
	l.leave()
	<-ctx.Done()
	return "", ctx.Err()
}

// A lookup that ends with its context counts as "not found", and the lines behind
// it decide as they would have after a failed lookup.
func TestListWhoseLookupIsCancelled(t *testing.T) {
	b := book{
		"all":    {Type: conf.ACLSrc, Networks: networks("all")},
		"me":     {Type: conf.ACLSrc, Networks: networks("192.0.2.1")},
		"far":    {Type: conf.ACLDst, Networks: networks("203.0.113.0/24")},
		"any":    {Type: conf.ACLDst, Networks: networks("all")},
		"named":  {Type: conf.ACLSrcDomain, Domains: conf.DomainsOf(".test")},
		"nobody": {Type: conf.ACLSrcDomain, Domains: conf.DomainsOf("none")},
		"host":   {Type: conf.ACLDstDomain, Domains: conf.DomainsOf(".test")},
		"re":     {Type: conf.ACLDstDomRegex, Regexes: regexes(false, `\.test$`)},
		"asn":    {Type: conf.ACLDstAS, Numbers: []int{65001}},
		"other":  {Type: conf.ACLPort, Ports: []conf.PortRange{{First: 81, Last: 81}}},
	}
	for name, a := range b {
		a.Name = name
	}
	const byName, byAddr = "http://a.test/", "http://203.0.113.1/"
	for _, c := range []struct {
		url   string
		lines []string
		want  Verdict
		last  string
		asked int
	}{
		{byName, []string{"deny far", "allow me"}, Allowed, "me", 1},
		{byName, []string{"allow far", "deny me"}, Denied, "me", 1},
		{byName, []string{"allow far", "allow other"}, Denied, "other", 1},
		{byName, []string{"deny far me", "allow all"}, Allowed, "all", 1},    // the line ends at the lookup
		{byName, []string{"deny other far", "allow all"}, Allowed, "all", 0}, // and never gets there
		{byName, []string{"allow any"}, Denied, "any", 1},                    // not even "all" without an address
		{byName, []string{"deny any"}, Allowed, "any", 1},
		{byName, []string{"allow !far", "deny all"}, Allowed, "far", 1},
		{byName, []string{"deny !far", "allow all"}, Denied, "far", 1},
		{byName, []string{"deny far", "deny any", "allow me"}, Allowed, "me", 2},
		{byName, []string{"deny asn", "allow me"}, Allowed, "me", 1},
		{byName, []string{"deny named", "allow me"}, Allowed, "me", 1},
		{byName, []string{"deny nobody", "allow me"}, Denied, "nobody", 1}, // no name is the name "none"
		{byAddr, []string{"deny host", "allow me"}, Allowed, "me", 1},
		{byAddr, []string{"deny re", "allow me"}, Allowed, "me", 1},
		{byName, []string{"deny host", "allow me"}, Denied, "host", 0},
	} {
		ctx, leave := context.WithCancel(t.Context())
		names := &leaving{leave: leave}
		cfg := &conf.Config{}
		cfg.ACLs, cfg.HTTPAccess = b.acls(), b.list(c.lines...)
		s := compile(t, cfg, Sources{Names: names, ASNumbers: &world{}})
		a := s.HTTPAccess.Check(ctx, facts(t, "GET "+c.url+" HTTP/1.0"))
		if a.Verdict != c.want || a.Last != c.last || names.asked != c.asked {
			t.Errorf("%s %q: %+v after %d lookups, want %v at %s after %d", c.url, c.lines, a, names.asked, c.want, c.last, c.asked)
		}
		leave()
	}
}
