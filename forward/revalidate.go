package forward

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// revalidate asks the origin whether what x.cached.stored is open on is still the same, and
// answers with that or with what comes in its place.
func (x *transaction) revalidate() bool {
	var first http1.Outgoing
	freshness.Revalidation(&first, &x.req.Fields, &x.cached.stored.head.Fields)
	if f := x.beginFilling(&first, freshness.ReplacedByRefresh); f != nil {
		return x.refuse(f)
	}
	f := x.cached.fill
	f.open(&x.cached.filled.Reader, false)
	_, others := x.cl.srv.refreshing.LoadOrStore(x.cached.stored.key, struct{}{})
	why := x.awaitFilling()
	if !others {
		x.cl.srv.refreshing.Delete(x.cached.stored.key)
	}
	rep := &f.Reply
	if why != nil {
		rep = nil
	}
	outcome, tag, ok := x.p.fetch.Rules.AfterRefresh(x.cached.rule, &x.cached.asked, &x.req.Fields, &x.cached.stored.head.Fields, &x.cached.stored.object, rep, time.Now().Unix())
	x.tag = string(tag)
	switch {
	case !ok:
		x.tag = string(freshness.TagRefreshMiss)
		return x.refuse(why)
	case outcome == freshness.Replace:
		x.cached.stored.Close()
		return x.takeFilling()
	}
	if why == nil {
		f.entry.Withdraw()
	}
	switch outcome {
	case freshness.ServeOld:
		if why == nil {
			f.Discard()
		}
		return x.serveStored(false)
	case freshness.Again:
		x.cl.srv.store.Purge(x.cached.stored.key)
		x.endFilling()
		return x.fetchAnew()
	case freshness.PassOther:
		x.cl.srv.store.Purge(x.cached.stored.key)
		return x.passNotModified()
	}
	x.p.renew(x.cl.srv.store, &x.cached.stored, rep, f.began.Requested)
	if outcome == freshness.PassNotModified {
		return x.passNotModified()
	}
	return x.serveStored(false)
}

// passNotModified answers with the origin's own 304.
func (x *transaction) passNotModified() bool {
	x.cached.filled.Close()
	x.cached.alone = true
	x.cached.served = &x.cached.fill.Reply
	if f := x.checkReply(); f != nil {
		return x.refuse(f)
	}
	return x.deliver()
}

// endFilling ends the fetch, so that there can be another one.
func (x *transaction) endFilling() {
	x.cached.fill.leave(x)
	x.cached.fill, x.cached.alone = nil, false
}

// renew notes that an origin said that what o is open on is still the same: the
// object has its times anew, and with update_headers its head, which is what is to be
// served.
func (p *policy) renew(s *store.Store, o *storedObject, notModified *http1.Reply, requested int64) {
	at := freshness.Times{Requested: requested, Received: time.Now().Unix()}
	var merged http1.Outgoing
	freshness.Merge(&merged, &o.head.Fields, &notModified.Fields)
	text := merged.Append(append([]byte(nil), o.head.Head[:o.head.LineLen]...))
	var head http1.Reply
	options := p.fetch.Reply
	options.MaxHead = len(text) + 1
	if _, state := head.Parse(text, true, &options); state != http1.Complete {
		return
	}
	object := p.fetch.Rules.Renew(&o.object, &head, notModified.Has(http1.Date), o.accelerated, at)
	o.object = object
	if !p.cfg.UpdateHeaders {
		text = o.head.Head
	}
	s.Refresh(&o.Reader, &store.Head{Key: o.key, Bytes: text, Facts: factsOf(&object), Length: o.Length()})
	if p.cfg.UpdateHeaders {
		o.head = head
	}
}

// refresh is a stored object about which the origin is asked in the background.
type refresh struct {
	storedObject
	srv *Server
}

func (r *refresh) end() {
	r.srv.refreshing.Delete(r.key)
	r.Close()
}

// refreshBehind asks the origin about what x.cached.stored is open on without the client,
// unless somebody does already.
func (x *transaction) refreshBehind() {
	srv := x.cl.srv
	if srv.stopping.Load() {
		return
	}
	if _, others := srv.refreshing.LoadOrStore(x.cached.stored.key, struct{}{}); others {
		return
	}
	old := &refresh{srv: srv}
	old.key, old.accelerated = x.cached.stored.key, x.form.Accelerated
	if _, err := old.open(x.context(), srv.store, x.p, x.now, x.cached.stored.key, x.storeURL(), false); err != nil {
		srv.refreshing.Delete(x.cached.stored.key)
		return
	}
	old.url = append([]byte(nil), x.storeURL()...)
	var first http1.Outgoing
	freshness.Revalidation(&first, &old.head.Fields, &old.head.Fields)
	f, why := x.newFilling(&first, func(id http1.Name) bool {
		return freshness.ReplacedByRefresh(id) || id == http1.Range || id == http1.IfRange || id == http1.RequestRange
	})
	if why != nil {
		old.end()
		return
	}
	f.refresh, f.client = old, nil
	f.Asked().Began = time.Now()
	f.open(nil, false)
	f.entry.Put()
	f.entry.Own()
}

// refreshed judges the origin's answer to a refresh in the background. It is true
// when nothing is to be stored.
func (f *filling) refreshed() bool {
	old := f.refresh
	outcome, _, _ := f.p.fetch.Rules.AfterRefresh(f.rule, &f.asked, f.Asked().Fields, &old.head.Fields, &old.object, &f.Reply, time.Now().Unix())
	switch outcome {
	case freshness.ServeRenewed, freshness.PassNotModified:
		f.p.renew(f.srv.store, &old.storedObject, &f.Reply, f.began.Requested)
	case freshness.Replace:
		return false
	case freshness.Again, freshness.PassOther:
		f.srv.store.Purge(old.key)
	}
	f.entry.Withdraw()
	return true
}
