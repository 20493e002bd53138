package delay

import (
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// pool is the buckets of one delay pool. Those of networks and hosts are made when
// they are first used: 256 of class 2, 256 and 65,536 of class 3 at most.
type pool struct {
	class                    int
	aggregate, network, host rate
	percent                  int // of new buckets
	step                     int64
	limits                   bool // some bucket does
	mu                       sync.Mutex
	all                      bucket
	networks                 [256]bucket
	networkMade              [256]bool
	hosts                    [256]*hosts        // of each network; of class 2, of the first
	waiting                  map[netip.Addr]int // transfers of a client whose octets wait
	transfers, waits, moved  int64
}

// hosts are the buckets of one network's.
type hosts struct {
	made    [256]bool
	buckets [256]bucket
}

func newPool(p *conf.DelayPool, percent int, now int64) *pool {
	q := &pool{class: p.Buckets(), percent: percent, aggregate: rateOf(p.Aggregate), network: rate{restore: -1}, host: rate{restore: -1}}
	if q.class == 3 {
		q.network = rateOf(p.Network)
	}
	if q.class >= 2 {
		q.host = rateOf(p.Individual)
	}
	q.all = bucket{level: q.aggregate.initial(percent), at: now}
	q.step = mostStep
	for _, r := range []rate{q.aggregate, q.network, q.host} {
		q.limits = q.limits || !r.off()
		if !r.off() && !r.never() {
			q.step = min(q.step, r.step())
		}
	}
	return q
}

// Bounds of a step in octets: less is not worth a packet, more is felt as a pause.
const (
	leastStep = 512
	mostStep  = 16 << 10
)

// step is what a transfer may read from an empty bucket: what comes in a tenth of a
// second, or when that is little, in a second at most.
func (r rate) step() int64 {
	return min(max(r.restore/10, min(r.restore, leastStep)), mostStep)
}

// each calls f with the buckets of a place that limit, filled up to now.
func (p *pool) each(at place, now int64, f func(b *bucket, r rate)) {
	if !p.aggregate.off() {
		p.all.fill(p.aggregate, now)
		f(&p.all, p.aggregate)
	}
	if !p.network.off() {
		b := &p.networks[at.network]
		if !p.networkMade[at.network] {
			p.networkMade[at.network] = true
			*b = bucket{level: p.network.initial(p.percent), at: now}
		}
		b.fill(p.network, now)
		f(b, p.network)
	}
	if !p.host.off() {
		n := at.network
		if p.class == 2 {
			n = 0
		}
		if p.hosts[n] == nil {
			p.hosts[n] = new(hosts)
		}
		h := p.hosts[n]
		b := &h.buckets[at.host]
		if !h.made[at.host] {
			h.made[at.host] = true
			*b = bucket{level: p.host.initial(p.percent), at: now}
		}
		b.fill(p.host, now)
		f(b, p.host)
	}
}

// ask is how many octets, most at most, a transfer may read now: what is there, or a
// step on credit, which is the smaller the more transfers of the same client wait:
// together they get as much as that of another one. 0 says that nothing will ever be
// there.
func (p *pool) ask(client netip.Addr, at place, most int64, now int64) int64 {
	credit := p.step
	if others := p.waiting[client]; others > 0 {
		credit = max(credit/int64(others+1), min(credit, leastStep/4))
	}
	there, never := most, false
	p.each(at, now, func(b *bucket, r rate) {
		there = min(there, b.level)
		never = never || r.never() && b.level <= 0
		if r.never() {
			credit = min(credit, b.level)
		}
	})
	if never {
		return 0
	}
	return min(most, max(there, credit))
}

// pay takes n octets from the buckets of a place and tells how long they have to wait;
// negative for ever.
func (p *pool) pay(at place, n int64, now int64) (wait time.Duration) {
	p.moved += n
	p.each(at, now, func(b *bucket, r rate) {
		b.level -= n
		if d := b.due(r); d < 0 || wait >= 0 && d > wait {
			wait = d
		}
	})
	return wait
}
