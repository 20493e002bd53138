package peer

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
)

// Stock is the digest of this cache as it is given to neighbours.
type Stock struct {
	// Bytes is the digest, Expires when there will be another.
	Bytes   []byte
	Expires time.Time
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
			n.stock.now.Store(&Stock{Bytes: giveOut(made, int(cfg.DigestSwapoutChunkSize)), Expires: now.Add(rewrite)})
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

// giveOut copies the digest in pieces of digest_swapout_chunk_size, between which others
// have a turn.
func giveOut(d *digest.Digest, piece int) []byte {
	b := make([]byte, 0, d.Size())
	for part := range d.Pieces(piece) {
		b = append(b, part...)
		runtime.Gosched()
	}
	return b
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
