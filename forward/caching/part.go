package caching

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"go.uber.org/zap"
)

// part is the body of a 206 on its way to a client, of which a copy goes to what other
// parts have brought. It is a reply.Body.
type part struct {
	reply.Body
	cache  *Cache
	policy *Policy
	into   *joined
	at, to int64 // what is still to come of the part; empty when nothing more is copied
	place  place
	head   store.Head // of the whole
	vary   []byte     // of the reply, where it varies
	tag    string
}

// joinLimit is how many bytes of bodies that are not whole yet are kept in memory: an
// eighth of cache_mem, and at least 4 MB.
func joinLimit(cfg *conf.Config) int64 { return max(4<<20, cfg.CacheMem/8) }

// Body is the body of the reply a fetch has that is the client's alone. Of a 206 that may
// be a part of what is to be stored a copy is kept.
func (r *Request) Body(f *fetch.Fetch) reply.Body {
	if f.Reply.Status != 206 || !r.MayKeep() || r.Request.Method != http1.GET {
		return f
	}
	if p := r.part(f); p != nil {
		return p
	}
	return f
}

// part is nil where nothing is to be kept.
func (r *Request) part(f *fetch.Fetch) *part {
	rep, c := &f.Reply, r.Cache
	span, size, ok := freshness.ReadPart(rep)
	if !ok || size > joinLimit(r.Policy.Config) || !freshness.SameBody(&rep.Fields, &rep.Fields) || f.Exceeds() || f.ToProxyOnly() || !c.Store.Takes(size) {
		return nil
	}
	at := freshness.Times{Requested: r.Now.Unix(), Received: time.Now().Unix()}
	verdict, o := r.Policy.Rules.KeepJoined(r.Rule, &r.Asked, rep, at, f.ToPeer(), size)
	if say := c.Fetching.Say.Store; say.On(3) {
		say.Say(3, "octets {from} to {to} of {size} for the store: {verdict}",
			zap.Int64("from", span.From), zap.Int64("to", span.To-1), zap.Int64("size", size), zap.String("verdict", fmt.Sprint(verdict)))
	}
	if verdict != freshness.KeepObject {
		return nil
	}
	if verified, _ := f.Verified(); !verified {
		return nil
	}
	p := &part{Body: f, cache: c, policy: r.Policy, at: span.From, to: span.To,
		place: place{method: http1.GET, url: bytes.Clone(r.keptAs()), group: r.Group, key: r.key},
		head:  store.Head{Key: r.key, Bytes: storedHead(rep, size), Metadata: metadataOf(&o, r.Rule), Length: size}}
	if o.Has(freshness.Varies) {
		p.vary = rep.AppendList(nil, http1.Vary)
		data, ok := freshness.AppendVaryData(nil, p.vary, &r.Request.Fields)
		if !ok || !r.Policy.Lists.BrokenVaryEncoding.Empty() { // whose tags may be those of several bodies
			return nil
		}
		p.head.Vary, p.head.Key, p.tag = data, p.place.variantKey(data), string(rep.Get(http1.ETag))
	}
	p.into = c.joins.open(r.key, &rep.Fields, &p.head, p.vary)
	return p
}

// Next implements reply.Body.
func (p *part) Next(most int, wait bool) ([]byte, error) {
	piece, err := p.Body.Next(most, wait)
	n := min(int64(len(piece)), p.to-p.at)
	if n <= 0 {
		return piece, err
	}
	whole, ok := p.cache.joins.add(p.into, p.at, piece[:n], joinLimit(p.policy.Config))
	if p.at += n; whole {
		p.cache.storeJoined(p)
	}
	if whole || !ok {
		p.to = p.at
	}
	return piece, err
}

// storing brings a body that was joined into the store.
type storing struct {
	*part
	entry  *store.Entry
	ctx    context.Context
	cancel context.CancelFunc
}

// storeJoined stores the whole that the last part has completed, as the reply that
// brought that.
func (c *Cache) storeJoined(p *part) {
	s := &storing{part: p}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	p.policy.Hold()
	c.add(s)
	s.entry = c.Store.Begin(store.Opening{Key: p.place.key, Method: p.place.method, URL: p.place.url}, s, nil)
	s.entry.Put()
	s.entry.Own()
}

// Fill implements store.Filler.
func (s *storing) Fill() {
	defer s.end()
	defer func() {
		if e := recover(); e != nil {
			s.cache.panicked(e, s, s.entry)
		}
	}()
	if len(s.head.Vary) > 0 {
		s.entry.Unlist()
		if !s.cache.addVariant(s.ctx, s.policy, &s.place, s.vary, freshness.Variant{Key: s.head.Key, ETag: s.tag, Data: []string{string(s.head.Vary)}}) {
			s.entry.Withdraw()
			return
		}
	}
	s.entry.Publish(&s.head)
	for _, block := range s.into.blocks {
		if err := s.entry.Pace(s.ctx); err != nil {
			s.entry.Abort(err)
			return
		}
		s.entry.Append(block)
	}
	s.entry.Complete()
}

func (s *storing) end() {
	s.cache.remove(s)
	s.cancel()
	s.policy.Release()
}

// Wake implements store.Filler: it waits for nothing but the disk.
func (*storing) Wake() {}

// Stop implements store.Filler.
func (s *storing) Stop() { s.cancel() }
