package forward

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// How far X-Forwarded-For is believed, as 2.6 does it: who is logged, and who
// http_access looks at.
func TestFollowXForwardedFor(t *testing.T) {
	src := func(name, first, mask string) *conf.ACL {
		network := conf.IPRange{First: netip.MustParseAddr(first), Mask: netip.MustParseAddr(mask)}
		return &conf.ACL{Name: name, Type: conf.ACLSrc, Networks: conf.NetworksOf(network)}
	}
	trusted := []*conf.ACL{src("us", "127.0.0.1", "255.255.255.255"), src("ours", "10.0.0.0", "255.0.0.0")}
	bad := src("bad", "192.168.1.1", "255.255.255.255")
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	for _, acls := range []bool{true, false} {
		r := start(t, nil, func(c *conf.Config) {
			c.ACLs = []*conf.ACL{trusted[0], trusted[1], bad}
			for _, a := range trusted {
				c.FollowXForwardedFor = append(c.FollowXForwardedFor, conf.AccessRule{Allow: true, ACLs: []conf.ACLRef{{Name: a.Name, ACL: a}}})
			}
			c.HTTPAccess = conf.AccessList{{ACLs: []conf.ACLRef{{Name: "bad", ACL: bad}}}, {Allow: true}}
			c.ACLUsesIndirectClient, c.LogUsesIndirectClient = acls, true
		})
		cases := []struct{ fields, all, one string }{
			{"192.168.1.2", "192.168.1.2", "192.168.1.2"},
			{"192.168.1.1, 10.0.0.1", "192.168.1.1", "10.0.0.1"},
			{"192.168.1.1 10.0.0.1", "192.168.1.1", "10.0.0.1"},
			{"10.0.0.1, 192.168.1.2", "192.168.1.2", "192.168.1.2"}, // nobody trusts 192.168.1.2's word
			{"192.168.1.1\r\nX-Forwarded-For: 10.0.0.3", "192.168.1.1", "10.0.0.3"},
			{"192.168.1.1, unknown, 10.0.0.1", "10.0.0.1", "10.0.0.1"},
			{"192.168.1.1 ,", "192.168.1.1", "192.168.1.1"},
			{"10.0.0.1", "10.0.0.1", "10.0.0.1"},
			{"192.168.1.1, junk", "127.0.0.1", "127.0.0.1"},
			{"10.0.0.9:80", "127.0.0.1", "127.0.0.1"},
			{",", "127.0.0.1", "127.0.0.1"},
			{"", "127.0.0.1", "127.0.0.1"},
		}
		var wants []string
		for _, c := range cases {
			got := r.exchange(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\nX-Forwarded-For: %s\r\n\r\n", origin, c.fields))
			want := c.all
			if !acls {
				want = c.one
			}
			if denied := strings.Contains(got, " 403 "); denied != (acls && want == "192.168.1.1") {
				t.Errorf("acl_uses_indirect_client %v, %q: denied %v", acls, c.fields, denied)
			}
			wants = append(wants, want)
		}
		for i, line := range r.log(len(cases)) {
			if !strings.Contains(line, " "+wants[i]+" TCP_") {
				t.Errorf("acl_uses_indirect_client %v, %q: want %s, logged %s", acls, cases[i].fields, wants[i], line)
			}
		}
	}
}
