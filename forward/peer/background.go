package peer

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
)

// Getter fetches documents of the proxy's own, for no client.
type Getter interface {
	// Get fetches a URL: through the peer where there is one, else from where the URL
	// leads. The caller closes the document's body. It gives up when ctx ends.
	Get(ctx context.Context, through *Peer, url string, kind Kind) (*Document, error)
}

// Kind is what is fetched, which decides about the fields of the request.
type Kind uint8

// What is fetched from peers.
const (
	DigestDocument Kind = iota
	NetDBDocument
	MonitorDocument
)

// Document is what was fetched.
type Document struct {
	Status int
	// Expires is when it has to be fetched again, zero for unknown.
	Expires time.Time
	Body    io.ReadCloser
}

// background is what a Set does beside requests.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex
	stopped    bool
	lastDigest time.Time // when a digest was asked for last, whose it was
}

// start begins what the peers of a configuration need beside requests: their names
// looked up, monitors, exchanges of measurements, counts of multicast groups. stop ends it. It
// does nothing, and says so, when that has begun already or was stopped.
func (s *Set) start(n *Neighbours) bool {
	if !s.background.open() {
		return false
	}
	if s.env.Ways != nil {
		s.spawn(func(ctx context.Context) { s.nameSites(ctx, n.measure) })
		if s.cfg.MeasuresWays {
			s.spawn(s.measurePeers)
		}
		s.spawn(s.keepWays)
	}
	for _, p := range s.list {
		s.spawn(p.tellAddress)
		if p.MonitorURL != "" && p.MonitorInterval > 0 && s.env.Getter != nil {
			s.spawn(func(ctx context.Context) { p.monitor(ctx) })
		}
		if !p.NoNetDBExchange && p.Type != conf.PeerMulticast && !p.OriginServer && s.env.Getter != nil && s.env.Ways != nil {
			s.spawn(func(ctx context.Context) { p.exchange(ctx) })
		}
		if p.Type == conf.PeerMulticast {
			s.spawn(func(ctx context.Context) { n.count(ctx, s, p) })
		}
	}
	return true
}

// open lets work be spawned, once, and never after stop.
func (b *background) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped || b.ctx != nil {
		return false
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return true
}

// stop ends the background work and waits for it; none begins any more.
func (s *Set) stop() {
	s.background.mu.Lock()
	s.background.stopped = true
	if s.background.cancel != nil {
		s.background.cancel()
	}
	s.background.mu.Unlock()
	s.background.work.Wait()
}

// spawn runs work until it returns or the Set is stopped; not at all before start and
// after stop.
func (s *Set) spawn(work func(ctx context.Context)) bool {
	b := &s.background
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx == nil || b.ctx.Err() != nil {
		return false
	}
	b.work.Add(1)
	go func() {
		defer b.work.Done()
		work(b.ctx)
	}()
	return true
}

// rest waits; false when ctx ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// about is a time of two thirds to four thirds of d, so that many do not do the
// same at once.
func about(d time.Duration) time.Duration {
	return d*2/3 + time.Duration(rand.Int64N(int64(d*2/3)+1))
}

// monitor fetches monitorurl again and again. A reply that is not 200, not of the
// size that monitorsize says, or late makes the peer dead until the next that is.
func (p *Peer) monitor(ctx context.Context) {
	for {
		began := p.env.now()
		why := p.check(ctx)
		if ctx.Err() != nil {
			return
		}
		if why != "" {
			p.env.Log.Info("peerMonitor {peer}: Failed, {reason}", zap.String("peer", p.Name), zap.String("reason", why))
		}
		p.unwell.Store(why != "")
		p.tell(why != "" || p.failures.Load() >= downAfter)
		if !rest(ctx, max(p.MonitorInterval-p.env.now().Sub(began), time.Second)) {
			return
		}
	}
}

// check fetches monitorurl once and says what is wrong, "" for nothing.
func (p *Peer) check(ctx context.Context) string {
	timeout := p.MonitorTimeout
	if timeout <= 0 {
		timeout = p.MonitorInterval
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d, err := p.env.Getter.Get(ctx, p, p.MonitorURL, MonitorDocument)
	if err != nil {
		return err.Error()
	}
	defer d.Body.Close()
	if d.Status != 200 {
		return fmt.Sprintf("status != 200 (%d)", d.Status)
	}
	body := io.Reader(d.Body)
	if p.MonitorMax > 0 {
		body = io.LimitReader(body, p.MonitorMax+1) // one more shows that it is too long
	}
	size, err := io.Copy(io.Discard, body)
	switch {
	case err != nil:
		return err.Error()
	case size < p.MonitorMin:
		return fmt.Sprintf("reply size %d < min %d", size, p.MonitorMin)
	case p.MonitorMax > 0 && size > p.MonitorMax:
		return fmt.Sprintf("reply size > max %d", p.MonitorMax)
	}
	return ""
}
