package delay

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// Pools are those of one configuration.
type Pools struct {
	list     []*pool    // in the order of the file, nil for one without a class
	access   []acl.List // delay_access of each
	indirect bool       // delay_pool_uses_indirect_client
	began    time.Time
	retired  atomic.Bool
	over     chan struct{} // closed with that
}

// New makes the pools of a configuration, with the list of each. Their aggregate buckets
// fill from now on.
func New(cfg *conf.Config, access []acl.List) *Pools {
	p := &Pools{access: access, indirect: cfg.DelayPoolUsesIndirectClient, began: time.Now(), over: make(chan struct{})}
	for i := range cfg.Delay.Pools {
		var made *pool
		if of := &cfg.Delay.Pools[i]; of.Buckets() > 0 {
			made = newPool(of, int(cfg.Delay.InitialBucketLevel), 0)
		}
		p.list = append(p.list, made)
	}
	return p
}

// None reports whether nothing is ever slowed down.
func (p *Pools) None() bool { return len(p.list) == 0 }

// Faulty are the pools, counted from 1, that have no class by a fault of the file: they
// are passed over.
func (p *Pools) Faulty() (list []int) {
	for i, q := range p.list {
		if q == nil {
			list = append(list, i+1)
		}
	}
	return list
}

// Retire says that others have taken their place: transfers that run on choose anew.
func (p *Pools) Retire() {
	if !p.retired.Swap(true) {
		close(p.over)
	}
}

// now is the time on the pools' clock.
func (p *Pools) now() int64 { return int64(time.Since(p.began)) }

// Transfer is what a choice depends on.
type Transfer struct {
	// Present gives the pools of the present configuration.
	Present func() *Pools
	Facts   *acl.Facts
	// Client is who is connected, Indirect the client behind proxies, invalid when it was
	// not asked for.
	Client, Indirect netip.Addr
}

// choice is the pool that a transfer belongs to.
type choice struct {
	of     *Pools
	pool   *pool      // nil where nothing limits
	client netip.Addr // whose buckets it uses
}

// choose gives the first pool whose delay_access allows a transfer; one without lines
// allows all.
func (p *Pools) choose(ctx context.Context, t *Transfer) choice {
	c := choice{of: p, client: t.Client}
	if p.indirect && t.Indirect.IsValid() {
		c.client = t.Indirect
	}
	if p.None() {
		return c
	}
	seen := *t.Facts
	seen.Client = c.client
	for i, q := range p.list {
		if q != nil && (p.access[i].Empty() || p.access[i].Check(ctx, &seen).Allowed()) {
			if q.limits {
				c.pool = q
			}
			break
		}
	}
	return c
}
