package peer

import (
	"bytes"
	"context"
	"net/netip"
	"time"
	"unsafe"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Question is a request whose next hops are wanted. It views what the asker owns
// and nothing of it is kept.
type Question struct {
	// Facts are what access lists are told. Their URL and Request are set.
	Facts *acl.Facts
	// URL is the canonical URL.
	URL []byte
	// Client is the address the request came from.
	Client netip.Addr
	// Loops is how often Via names this proxy.
	Loops int
	// Reload: the answer must come from the origin, or be confirmed by it.
	Reload bool
	// Own: it is the proxy's own, and goes to a parent only where it may not go direct.
	Own bool
	// MethodText, Major and Minor are those of the request line.
	MethodText   string
	Major, Minor int
	// Head makes the header lines an HTCP neighbour is asked with.
	Head Head
	// Pinned: a connection authenticated by the client waits to be used, which
	// leads to the peer named PinnedTo, or with "" to the origin itself.
	Pinned   bool
	PinnedTo string
}

// Head is the header of a request as a peer would get it.
type Head interface {
	// AppendLines appends its lines, those of the hop left out.
	AppendLines(dst []byte, to *Peer) []byte
}

// directness is whether a request goes to the origin itself.
type directness uint8

const (
	maybeDirect directness = iota
	mustDirect
	neverDirect
)

func (s *Set) directness(ctx context.Context, q *Question, c *Choice) directness {
	if c.Always = q.allowedBy(ctx, &s.lists.AlwaysDirect); c.Always > 0 {
		return mustDirect
	}
	if c.Never = q.allowedBy(ctx, &s.lists.NeverDirect); c.Never > 0 {
		return neverDirect
	}
	switch {
	case len(s.list) > 0 && !s.holds(ctx, q):
		return mustDirect // a peer would connect to the name, not to where the client dialled
	case q.Facts.Accelerated:
		return neverDirect
	case q.Loops > 0, s.near(q, 0):
		return mustDirect
	}
	return maybeDirect
}

// allowedBy asks a list that denies what it has no lines for: 1 for yes, -1 for no, and 0
// when there is no such list. Credentials that are missing count as a yes, as in 2.6.
func (q *Question) allowedBy(ctx context.Context, list *acl.List) int {
	switch {
	case list.Empty():
		return 0
	case list.Ask(ctx, q.Facts).Verdict == acl.Denied:
		return -1
	}
	return 1
}

// claimPatience is how long the choice of a peer waits for DNS to say that an
// intercepted client's name belongs to where it dialled.
const claimPatience = time.Second

func (s *Set) holds(ctx context.Context, q *Question) bool {
	if !q.Facts.Dialled.IsValid() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, claimPatience)
	defer cancel()
	return q.Facts.Holds(ctx, s.env.Names)
}

// hierarchical reports whether a parent is of use for the request: one whose
// answer it could have cached.
func (s *Set) hierarchical(q *Question) bool {
	url := q.Facts.URL
	switch {
	case q.Own:
		return false
	case q.Facts.Request.Has(http1.Authorization) || len(url.Userinfo) > 0:
		return false
	case q.Facts.Method == http1.TRACE:
		return true
	case q.Facts.Method != http1.GET:
		return false
	}
	for _, word := range s.cfg.HierarchyStoplist {
		if bytes.Contains(q.URL, []byte(word)) {
			return false
		}
	}
	return q.Loops == 0 && url.Scheme != http1.SchemeWAIS && url.Scheme != http1.SchemeCacheObject
}

// host is a view of the URL's host.
func (q *Question) host() string {
	host := q.Facts.URL.Host
	return unsafe.String(unsafe.SliceData(host), len(host))
}
