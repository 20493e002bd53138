package caching

import (
	"bytes"
	"context"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// MayKeep reports whether the reply may go into the store, as far as the request
// tells.
func (r *Request) MayKeep() bool { return r.Uses && r.Asked.MayKeep(r.Rule) }

// Plain reports whether nobody else can wait for the fetch before the head of its
// reply is there, and it asks for what the client asks. Only what is to be stored
// becomes a Filling then, by Adopt: what is not stored costs nothing.
func (r *Request) Plain() bool {
	r.miss = r.edit()
	// Where variants are known, a fetch for another one must not hide them.
	r.collapsed = r.Policy.Config.CollapsedForwarding && r.Asked.Joinable() && !r.others
	return !r.collapsed && !r.miss.any() && r.Policy.Config.QuickAbortMin >= 0
}

// Keep decides whether the reply whose head a client's own fetch has is to be stored:
// then Adopt makes r.Fill of it. One that is not may show that what is stored is out of
// date.
func (r *Request) Keep(f *fetch.Fetch) bool {
	r.keeping = r.Cache.keeps(r.Policy, r.Rule, &r.Asked, f, r.Now.Unix())
	at := r.place()
	r.Cache.supersedeHead(f, at)
	if !r.keeping.kept {
		r.Cache.supersede(f, at, r.superseded())
		return false
	}
	r.Cache.noteHead(at.method)
	return true
}

// Adopt makes the client's own fetch, whose head is there, r.Fill: one that may
// outlive the client, with an entry whose first reader is the client's.
func (r *Request) Adopt(own *fetch.Fetch) {
	f := r.filling()
	code, host := own.Hierarchy()
	f.from = origin{code, strings.Clone(host), own.Undelayed()}
	r.from = f.from
	f.headed.Store(true)
	f.Adopt(&f.ctx, own)
	f.keeping = r.keeping
	r.Fill = f
	r.Cache.add(f)
	f.open(&r.Filled.Reader, false)
}

// StoreWhole stores the reply to the client's own fetch at once, where all of it came
// with its head: then the fetch stays the client's alone. It is false where there is more
// to wait for, or the client gets something else than what is stored.
func (r *Request) StoreWhole(ctx context.Context, own *fetch.Fetch) bool {
	body, whole := own.Whole()
	if !whole || r.Asked.Ranged || r.keeping.partial > 0 {
		return false
	}
	k := &r.keeping
	h := k.head(r.key, &own.Reply, r.Rule)
	if k.object.Has(freshness.Varies) {
		if !r.Cache.enterVariant(ctx, r.Policy, r.place(), own, &h) {
			return true // there is no place for it
		}
	}
	r.Cache.joins.drop(r.key)
	r.Cache.Store.Put(&store.Opening{Key: r.key, Method: r.Request.Method, URL: r.keptAs(), Asked: own.Asked().Logged}, &h, body)
	r.stored = true
	return true
}

// Begin begins a fetch, r.Fill, for a request that Plain does not hold for.
func (r *Request) Begin(asks *fetch.Request) *failure.Failure {
	var first http1.Outgoing
	if len(r.miss.tags) > 0 {
		first.Add(http1.IfNoneMatch, r.miss.tags)
	}
	return r.begin(asks, &first, r.miss.leavesOut)
}

func (r *Request) begin(asks *fetch.Request, first *http1.Outgoing, leftOut func(http1.Name) bool) (why *failure.Failure) {
	r.facts = asks.Facts
	r.Fill, why = r.newFilling(asks, first, leftOut)
	return why
}

// Await begins the entry and waits for the head of the reply.
func (r *Request) Await() *failure.Failure {
	r.Fill.open(&r.Filled.Reader, r.collapsed)
	return r.awaitHead()
}

func (r *Request) awaitHead() *failure.Failure {
	f := r.Fill.awaitHead()
	r.from = r.Fill.from
	r.facts.Told = r.Fill.Asked().Facts.Told // what helpers said while the way was chosen
	if f != nil {
		r.Fill.entry.Abort(f)
	}
	return f
}

// Publish gives the entry its head. It is false when the reply proved not to be
// stored: then the fetch is the client's alone.
func (r *Request) Publish() (stored bool, err error) {
	if !r.Fill.publish() {
		r.TakeBack()
		return false, nil
	}
	if err := r.Filled.readHead(r.Policy); err != nil {
		return true, err
	}
	r.Served = &r.Filled.Reply
	return true, nil
}

// TakeBack makes the fetch the client's alone: its reply is not stored.
func (r *Request) TakeBack() {
	r.Filled.Close()
	r.alone = true
	r.Served = &r.Fill.Reply
}

// Complete ends the entry of a reply without body.
func (r *Request) Complete() { r.Fill.entry.Complete() }

// EndFill ends the fetch, so that there can be another one.
func (r *Request) EndFill() {
	if r.Fill != nil {
		r.Fill.leave(&r.Filled.Reader)
		r.Fill, r.alone = nil, false
	}
}

// filling makes one that has not been asked anything.
func (r *Request) filling() *Filling {
	f := &Filling{Owned: fetch.Own(), cache: r.Cache, policy: r.Policy, rule: r.Rule, asked: r.Asked, key: r.key, superseded: r.superseded(), requested: r.Now.Unix()}
	f.policy.Hold()
	return f
}

// newFilling makes the fetch for a request: first are fields put in front of the
// client's, without those left out.
func (r *Request) newFilling(asks *fetch.Request, first *http1.Outgoing, leftOut func(http1.Name) bool) (*Filling, *failure.Failure) {
	f := r.filling()
	f.client = asks.Waiting
	fields := &r.Request.Fields
	for i := range fields.Len() {
		if !leftOut(fields.ID(i)) {
			first.Copy(fields, i)
		}
	}
	why := f.CopyWith(asks, first)
	a := f.Asked()
	a.Waiting = f
	if asks.Pin != nil {
		a.Pin = &f.pin // challenges are passed on; what answers them is not fetched here
	}
	f.Start(&f.ctx, f.cache.Fetching, f.policy.Policy)
	f.cache.add(f)
	if why != nil {
		f.end()
		return nil, why
	}
	return f, nil
}

// open begins the entry, whose first reader is the client's, nil for none.
func (f *Filling) open(r *store.Reader, collapsed bool) {
	asked := f.Asked()
	o := store.Opening{Key: f.key, Method: asked.Method, URL: bytes.Clone(asked.KeptAs()), Collapsed: collapsed}
	if logs := f.cache.Logs(); logs != nil && logs.WantsStore() && !bytes.Equal(asked.Logged, o.URL) {
		o.Asked = bytes.Clone(asked.Logged)
	}
	f.entry = f.cache.Store.Begin(o, f, r)
}

// AskAgain reports whether the reply is a 304 about a variant that is not there any more,
// which the client has not asked about: the origin is to be asked without the tags of
// variants.
func (r *Request) AskAgain() bool {
	if len(r.miss.tags) == 0 || r.Fill.Reply.Status != 304 || freshness.AskedAbout(&r.Request.Fields, &r.Fill.Reply.Fields) {
		return false
	}
	r.Fill.entry.Withdraw()
	r.miss.tags, r.tagged = nil, nil
	return true
}

// SelectByTag opens r.Stored on the variant a 304 says is right for the request, and
// enters that, unless the 304 retracts it. It is false when the 304 is about something
// else, or what it is about has left the store.
func (r *Request) SelectByTag(ctx context.Context) bool {
	if r.Fill.Reply.Status != 304 {
		return false
	}
	at := freshness.TaggedVariant(r.tagged, r.Fill.Reply.Get(http1.ETag))
	if at < 0 {
		return false
	}
	v := r.tagged[at]
	if !r.open(ctx, v.Key) {
		return false
	}
	if r.Policy.Rules.Retracts(r.Rule, &r.Fill.Reply.Fields, &r.Stored.Reply.Fields, r.Stored.accelerated) {
		r.Cache.Store.Purge(v.Key)
	} else {
		v.Data = []string{string(r.selection)}
		r.Cache.addVariant(&r.Fill.ctx, r.Policy, r.Fill.place(), r.Stored.Reply.AppendList(nil, http1.Vary), v)
	}
	r.Fill.entry.Withdraw()
	return true
}
