package peer

import (
	"context"
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
)

// NetDBPath is where a cache has what it measured.
const NetDBPath = "/squid-internal-dynamic/netdb"

// Bounds of the exchange of measurements.
const (
	exchangeFirst = 30 * time.Second
	// exchangeRest is less than a neighbour's word is believed.
	exchangeRest = 45 * time.Minute
	exchangeTime = time.Minute
	// mostExchanged bounds the document, in octets: a thousand networks.
	mostExchanged = 15 * 1024
)

// exchange learns what the peer has measured, until ctx ends.
func (p *Peer) exchange(ctx context.Context) {
	for pause := exchangeFirst; rest(ctx, about(pause)); pause = exchangeRest {
		p.learnAll(ctx)
	}
}

// learnAll fetches the peer's measurements once.
func (p *Peer) learnAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	d, err := p.env.Getter.Get(ctx, nil, p.withLogin(p.ownURL(NetDBPath)), NetDBDocument)
	if err != nil {
		return
	}
	defer d.Body.Close()
	if d.Status != 200 {
		return
	}
	now := p.env.now()
	body := io.LimitReader(d.Body, mostExchanged)
	room := make([]byte, 0, 4096)
	for {
		n, err := body.Read(room[len(room):cap(room)])
		left, bad := netdb.ParseTold(room[:len(room)+n], func(t netdb.Told) {
			p.env.Ways.Learn(p.Name, t.Network, t.RTT, t.Hops, now)
		})
		if err != nil || bad {
			return
		}
		room = room[:copy(room[:cap(room)], left)]
	}
}
