package caching

import (
	"bytes"
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// BeginRefresh begins to ask the origin whether what r.Stored is open on is still the
// same. Waiting hears of it as of any fetch for a client.
func (r *Request) BeginRefresh(asks *fetch.Request) *failure.Failure {
	var first http1.Outgoing
	rules, stored := r.Policy.Rules, &r.Stored
	rules.Revalidation(&first, &r.Request.Fields, &stored.Reply.Fields, &stored.Described)
	confirms := *asks
	confirms.Confirms = true
	r.miss = missEdit{whole: r.fetchesWhole()}
	why := r.begin(&confirms, &first, func(id http1.Name) bool {
		return rules.ReplacedByRefresh(&stored.Described, id) || r.miss.leavesOut(id)
	})
	if why == nil {
		// Who wants nothing of the answer stored says nothing about what is, which is stale
		// and asked about each time.
		r.Fill.spares = !r.MayKeep() && r.decided.Basis <= freshness.ByMaximum
	}
	return why
}

// AwaitRefresh waits for the head of the origin's answer, or for why there is none.
// What the client gets of it is decided: not ok means that it gets the failure. A 304
// is not stored, and what is stored has its times anew.
func (r *Request) AwaitRefresh() (outcome freshness.Outcome, tag freshness.Tag, why *failure.Failure) {
	f, rules := r.Fill, r.Policy.Rules
	f.open(&r.Filled.Reader, false)
	_, others := r.Cache.refreshing.LoadOrStore(r.Stored.key, struct{}{})
	why = r.awaitHead()
	if !others {
		r.Cache.refreshing.Delete(r.Stored.key)
	}
	rep := &f.Reply
	if why != nil {
		rep = nil
	} else {
		r.refreshed = rep.Status
	}
	outcome, tag, ok := rules.AfterRefresh(r.Rule, &r.Asked, &r.Request.Fields, &r.Stored.Reply.Fields, &r.Stored.Described, rep, time.Now().Unix())
	if !ok {
		return outcome, freshness.TagRefreshMiss, why
	}
	if outcome == freshness.Replace {
		if !rules.Refreshable(&r.Stored.Described) {
			r.Cache.Store.Purge(r.Stored.key)
		}
		r.Stored.Close()
		return outcome, tag, nil
	}
	if why == nil {
		f.entry.Withdraw()
	}
	switch outcome {
	case freshness.ServeOld:
		if why == nil {
			f.Discard()
		}
	case freshness.Again, freshness.PassOther:
		r.Cache.Store.Purge(r.Stored.key)
	default:
		r.Cache.renew(r.Policy.Policy, r.Rule, &r.Stored, rep, f.requested)
	}
	return outcome, tag, nil
}

// renew notes that an origin said that what o is open on is still the same: the
// object has its times anew, and with update_headers its head, which is what is to be
// served. What the origin wants no longer shared with it goes.
func (c *Cache) renew(p *fetch.Policy, rule *freshness.Rule, o *Object, notModified *http1.Reply, requested int64) {
	at := freshness.Times{Requested: requested, Received: time.Now().Unix()}
	head := o.merged(&notModified.Fields, p)
	if head == nil {
		return
	}
	o.Described = p.Rules.Renew(&o.Described, head, notModified.Has(http1.Date), o.accelerated, at)
	retracted := p.Rules.Retracts(rule, &notModified.Fields, &o.Reply.Fields, o.accelerated)
	if !p.Config.UpdateHeaders {
		head = &o.Reply
	}
	if retracted {
		c.Store.Purge(o.key)
		o.reply(head)
		return
	}
	c.replaceHead(o, head, rule)
}

// merged is the head of what o is open on with the fields that were given for it, nil
// where those make it one that cannot be read.
func (o *Object) merged(given *http1.Fields, p *fetch.Policy) *http1.Reply {
	var fields http1.Outgoing
	freshness.Merge(&fields, &o.Reply.Fields, given)
	head := new(http1.Reply)
	if !parseHead(head, fields.Append(bytes.Clone(o.Reply.Head[:o.Reply.LineLen])), p) {
		return nil
	}
	return head
}

// parseHead reads the head of a reply that is whole in text.
func parseHead(into *http1.Reply, text []byte, p *fetch.Policy) bool {
	options := p.Reply
	options.MaxHead = len(text) + 1
	_, state := into.Parse(text, true, &options)
	return state == http1.Complete
}

// replaceHead gives what o is open on a head, its own or another one, and the times of
// o.Described.
func (c *Cache) replaceHead(o *Object, head *http1.Reply, rule *freshness.Rule) {
	c.Store.Refresh(&o.Reader, &store.Head{Key: o.key, Bytes: head.Head, Metadata: metadataOf(&o.Described, rule), Length: o.Length()})
	o.reply(head)
}

// reply makes head that of what is served.
func (o *Object) reply(head *http1.Reply) {
	if head != &o.Reply {
		o.Reply = *head
	}
}

// refresh is a stored object about which the origin is asked in the background.
type refresh struct {
	Object
	cache *Cache
}

func (r *refresh) end() {
	r.cache.refreshing.Delete(r.key)
	r.Close()
}

// RefreshBehind asks the origin about what r.Stored is open on without the client,
// unless somebody does already. asks describes what the client asked for.
func (r *Request) RefreshBehind(ctx context.Context, asks *fetch.Request) {
	key := r.Stored.key
	if _, others := r.Cache.refreshing.LoadOrStore(key, struct{}{}); others {
		return
	}
	old := &refresh{cache: r.Cache}
	old.key, old.accelerated = key, r.Stored.accelerated
	if _, err := old.open(ctx, r.Cache.Store, r.Policy, r.Now, key, r.keptAs(), false); err != nil {
		r.Cache.refreshing.Delete(key)
		return
	}
	var first http1.Outgoing
	r.Policy.Rules.Revalidation(&first, &old.Reply.Fields, &old.Reply.Fields, &old.Described)
	confirms := *asks
	confirms.Confirms = true
	f, why := r.newFilling(&confirms, &first, func(id http1.Name) bool {
		return id == http1.IfModifiedSince || id == http1.IfNoneMatch || id == http1.Range || id == http1.IfRange || id == http1.RequestRange
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

// Refreshed is the outcome of a refresh in the background. It lives until the call ends.
type Refreshed struct {
	Tag   freshness.Tag // TCP_ASYNC_HIT or TCP_ASYNC_MISS
	Asked *fetch.Request
	// Reply is the origin's, nil when there was none.
	Reply *http1.Reply
	// Code and Host are the log's words of where it came from.
	Code, Host string
	Policy     *Policy
}

// tellRefreshed tells it; reply is false when there was none.
func (f *Filling) tellRefreshed(tag freshness.Tag, reply bool) {
	if f.cache.Refreshed == nil {
		return
	}
	r := Refreshed{Tag: tag, Asked: f.Asked(), Code: f.from.code, Host: f.from.host, Policy: f.policy}
	if reply {
		r.Reply = &f.Reply
	}
	f.cache.Refreshed(&r)
}

// refreshed judges the origin's answer to a refresh in the background. It is true
// when nothing is to be stored.
func (f *Filling) refreshed() bool {
	old, tag := f.refresh, freshness.TagAsyncMiss
	defer func() { f.tellRefreshed(tag, true) }()
	outcome, _, _ := f.policy.Rules.AfterRefresh(f.rule, &f.asked, f.Asked().Fields, &old.Reply.Fields, &old.Described, &f.Reply, time.Now().Unix())
	switch outcome {
	case freshness.ServeRenewed, freshness.PassNotModified:
		f.cache.renew(f.policy.Policy, f.rule, &old.Object, &f.Reply, f.requested)
		tag = freshness.TagAsyncHit
	case freshness.Replace:
		return false
	case freshness.Again, freshness.PassOther:
		f.cache.Store.Purge(old.key)
	}
	f.entry.Withdraw()
	return true
}
