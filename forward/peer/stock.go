package peer

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
)

// Stock is the digest of this cache as it is given to neighbours.
type Stock struct {
	// Bytes is the digest, Made when that was written, Expires when there will be another.
	Bytes         []byte
	Made, Expires time.Time
}

// stock makes the digest of this cache again and again.
type stock struct{ now atomic.Pointer[Stock] }

// sliceRest is the pause between two slices of a rebuild.
const sliceRest = 10 * time.Millisecond

// Stock gives the digest of this cache, nil without digest_generation.
func (n *Neighbours) Stock() *Stock { return n.stock.now.Load() }

// keepStock makes the digest of the cache every digest_rebuild_period and gives it
// out every digest_rewrite_period, until ctx ends. The first is of what is there at
// the start.
func (n *Neighbours) keepStock(ctx context.Context, l *Local) {
	cfg := l.Config
	n.log.Info(fmt.Sprintf("Local cache digest enabled; rebuild/rewrite every %d/%d sec",
		int(cfg.DigestRebuildPeriod.Seconds()), int(cfg.DigestRewritePeriod.Seconds())))
	rebuild, rewrite := max(cfg.DigestRebuildPeriod, time.Second), max(cfg.DigestRewritePeriod, time.Second)
	var made *digest.Digest
	now := time.Now()
	nextMade, nextOut := now, now
	for {
		if !now.Before(nextMade) {
			if made = build(ctx, l.Cache, cfg, now.Add(rebuild)); made == nil {
				return
			}
			nextMade = now.Add(rebuild)
		}
		if !now.Before(nextOut) {
			n.stock.now.Store(&Stock{Bytes: made.Append(make([]byte, 0, made.Size())), Made: now, Expires: now.Add(rewrite)})
			nextOut = now.Add(rewrite)
		}
		next := nextMade
		if nextOut.Before(next) {
			next = nextOut
		}
		if !rest(ctx, time.Until(next)) {
			return
		}
		now = time.Now()
	}
}

// build makes the digest of what stays fresh until then, in slices; nil when ctx
// ended.
func build(ctx context.Context, cache Cache, cfg *conf.Config, fresh time.Time) *digest.Digest {
	b := digest.NewBuilder(cache, cfg.DigestBitsPerEntry, fresh, cfg.DigestRebuildChunkPercentage)
	for !b.Slice(time.Now) {
		if !rest(ctx, sliceRest) {
			return nil
		}
	}
	return b.Digest()
}
