package peer

import (
	"context"
	"crypto/md5"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"go.uber.org/zap"
)

// DigestPath is where a cache has its digest.
const DigestPath = "/squid-internal-periodic/store_digest"

// Bounds of fetching digests, 2.6's own.
const (
	// digestGap is the least time between two requests for a digest, digestRest
	// between two to one peer.
	digestGap  = time.Minute
	digestRest = 5 * time.Minute
	// digestStart is how long a digest waits for the request to go first that made its
	// peer of interest.
	digestStart = 50 * time.Millisecond
	// digestTime is how long a digest may take.
	digestTime = 5 * time.Minute
)

// remote is a peer's digest.
type remote struct {
	wanted atomic.Bool                   // a request could have used it
	got    atomic.Pointer[digest.Digest] // nil while there is none
}

// digestHit is the neighbour whose digest has the object, the nearest of them by
// what was measured of their hosts.
func (c *selection) digestHit(ctx context.Context) *Peer {
	var best *Peer
	var bestRTT int
	var key digest.Key
	known := false
	first := c.env.first(len(c.list))
	for i := range c.list {
		p := c.list[(first+i)%len(c.list)]
		if p.NoDigest || p.Type == conf.PeerMulticast || p.OriginServer || c.env.Getter == nil || !c.servable(ctx, p) {
			continue
		}
		if !p.remote.wanted.Load() {
			c.Set.wantDigest(p)
			continue
		}
		d := p.remote.got.Load()
		if d == nil {
			continue
		}
		if !known {
			key, known = objectKey(c.q.URL), true
		}
		if !d.Has(key) {
			continue
		}
		rtt := 0
		if c.env.Ways != nil {
			ms, _, _ := c.env.Ways.Host(p.Host, c.now)
			rtt = rounded(ms)
		}
		// As in 2.6, the first stays when it was never measured.
		if best == nil || rtt > 0 && rtt < bestRTT {
			best, bestRTT = p, rtt
		}
	}
	return best
}

// objectKey is the key of a GET for the URL.
func objectKey(url []byte) digest.Key {
	var room [512]byte
	return md5.Sum(append(append(room[:0], byte(http1.GET)), url...))
}

// wantDigest begins to fetch a peer's digest, now and whenever it has expired.
func (s *Set) wantDigest(p *Peer) {
	if !p.remote.wanted.CompareAndSwap(false, true) {
		return
	}
	turn := s.digestTurn() // in the order in which they were wanted
	if !s.spawn(func(ctx context.Context) { p.keepDigest(ctx, s, turn) }) {
		p.remote.wanted.Store(false)
	}
}

// keepDigest fetches the digest, the first time then, until ctx ends. One that
// cannot be had or used is done without.
func (p *Peer) keepDigest(ctx context.Context, s *Set, turn time.Time) {
	for ; rest(ctx, turn.Sub(s.env.now())); turn = s.digestTurn() {
		d, expires, why := p.fetchDigest(ctx)
		if ctx.Err() != nil {
			return
		}
		p.remote.got.Store(d)
		if why != "" {
			p.env.Log.Info("temporary disabling ({reason}) digest from {peer}", zap.String("reason", why), zap.String("peer", p.Name))
		}
		pause := digestRest
		if left := expires.Sub(p.env.now()); d != nil && left > 0 {
			pause += left
		}
		if !rest(ctx, pause) {
			return
		}
	}
}

// digestTurn is when another digest may be asked for.
func (s *Set) digestTurn() time.Time {
	b := &s.background
	b.mu.Lock()
	turn := s.env.now().Add(digestStart)
	if next := b.lastDigest.Add(digestGap); !b.lastDigest.IsZero() && next.After(turn) {
		turn = next
	}
	b.lastDigest = turn
	b.mu.Unlock()
	return turn
}

// fetchDigest fetches the digest once, or says why there is none.
func (p *Peer) fetchDigest(ctx context.Context) (d *digest.Digest, expires time.Time, why string) {
	ctx, cancel := context.WithTimeout(ctx, digestTime)
	defer cancel()
	from := p.DigestURL
	if from == "" {
		from = p.ownURL(DigestPath)
	}
	doc, err := p.env.Getter.Get(ctx, nil, p.withLogin(from), DigestDocument)
	if err != nil {
		return nil, expires, err.Error()
	}
	defer doc.Body.Close()
	if doc.Status != 200 {
		return nil, expires, "status " + strconv.Itoa(doc.Status)
	}
	if d, err = digest.Read(doc.Body); err != nil {
		return nil, expires, err.Error()
	}
	return d, doc.Expires, ""
}

// ownURL is the URL of an object of the peer's own.
func (p *Peer) ownURL(path string) string {
	return "http://" + net.JoinHostPort(strings.Trim(p.Host, "[]"), strconv.Itoa(int(p.HTTPPort))) + path
}

// withLogin puts login= into a URL of the peer's own, where it is a name and a
// password.
func (p *Peer) withLogin(from string) string {
	user, password, ok := strings.Cut(p.Login, ":")
	scheme, rest, has := strings.Cut(from, "://")
	if !ok || !has || user == "" || strings.HasPrefix(user, "*") || strings.Contains(strings.SplitN(rest, "/", 2)[0], "@") {
		return from
	}
	return scheme + "://" + url.UserPassword(user, password).String() + "@" + rest
}
