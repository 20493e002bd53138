package peer

import (
	"context"
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Times of counting the members of multicast groups.
const (
	countFirst = 10 * time.Second
	countRest  = time.Minute
)

// count counts the members of a multicast group again and again, so that it is known
// how many answers to wait for.
func (n *Neighbours) count(ctx context.Context, s *Set, group *Peer) {
	for pause := countFirst; rest(ctx, pause); pause = countRest {
		if to, ok := group.address(ctx); ok {
			n.countOnce(ctx, s, group, asked{peer: group, to: to})
		}
	}
}

// countOnce asks the group for a URL nobody has and counts who answers within
// mcast_icp_query_timeout.
func (n *Neighbours) countOnce(ctx context.Context, s *Set, group *Peer, to asked) {
	s.findMembers(ctx)
	url := []byte("http://" + group.Host + "/")
	parsed := new(http1.URL)
	if parsed.Parse(http1.GET, url, &http1.URLOptions{}) != http1.NoFault {
		return
	}
	q := &Question{Facts: &acl.Facts{Method: http1.GET, URL: parsed, Request: &noFields}, URL: url}
	// More than can answer: the whole time is waited for.
	r := &round{began: s.env.now(), wait: s.cfg.MulticastICPQueryTimeout, asked: []asked{to}, expected: 1 << 30}
	n.ask(ctx, s, q, r)
	if ctx.Err() != nil {
		return
	}
	members := 0
	for i := range r.asked {
		if r.asked[i].done && r.asked[i].peer.MulticastResponder {
			members++
		}
	}
	average := group.noteMembers(members)
	n.log.Info(fmt.Sprintf("Group %s: %d replies, %4.1f average, RTT %d", group.Name, members, average, group.averageRTT().Milliseconds()))
}
