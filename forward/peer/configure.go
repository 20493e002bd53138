package peer

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// lookedUp is how often a peer's name is looked up to tell whether it has an address.
const lookedUp = time.Hour

// tellAddress tells, as 2.6 does at the start and each hour, that the peer is in use, and
// that its name has no address: nothing is sent to such a one, and no other line says why.
func (p *Peer) tellAddress(ctx context.Context) {
	known := false
	for {
		_, err := p.env.Names.Look(ctx, p.Host)
		if ctx.Err() != nil {
			return
		}
		if !known {
			p.env.Log.Info("Configuring "+p.kind()+" {host}/{port}/{icp}",
				zap.String("host", p.Host), zap.Uint16("port", p.HTTPPort), zap.Uint16("icp", p.ICPPort))
		}
		if known = err == nil; !known {
			p.env.Log.Warn("WARNING: DNS lookup for '{host}' failed!", zap.String("host", p.Host))
		}
		if !rest(ctx, lookedUp) {
			return
		}
	}
}
