package peer

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
	"go.uber.org/zap"
)

// Env is what peers need of the proxy around them. It outlives configurations.
type Env struct {
	Names dns.Resolver
	Log   *zap.Logger
	// Connect tries a connection to a peer and closes it again.
	Connect func(ctx context.Context, to netip.AddrPort) error
	// Over is closed when the proxy ends: no probe outlives it.
	Over <-chan struct{}
	// Talk asks neighbours; nil for nobody who could.
	Talk Talk
	// Getter fetches what peers have for other caches; nil for nothing.
	Getter Getter
	// Ways is what is known of the ways to origins; nil for nothing.
	Ways *netdb.Table
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	starts atomic.Uint64 // rounds of questions so far: each begins with another peer
}

// Talk carries questions to neighbours and brings their answers.
type Talk interface {
	// reaches reports whether there is a socket to ask the peer from.
	reaches(p *Peer) bool
	// ask sends the questions of a round and gives it the answers as they come, until
	// it is over, its time is, or ctx ends; not at all when no answer is expected. It
	// reports whether the time ran out.
	ask(ctx context.Context, s *Set, q *Question, r *round) (late bool)
}

// first is with which of n neighbours the next round of questions begins.
func (e *Env) first(n int) int { return int(e.starts.Load() % uint64(n)) }

func (e *Env) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}
