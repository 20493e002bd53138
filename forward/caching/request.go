package caching

import (
	"context"
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Request is one request's place in the store. What is here keeps its storage, and
// Reset empties it.
type Request struct {
	// Stored is what the store has for the request, Filled what this request brings
	// there.
	Stored, Filled Object
	// StoreURL is storeurl_rewrite_program's, empty for the request's own.
	StoreURL []byte

	selection []byte // the text of the selecting fields, where the reply varies
	vary      []byte // storage

	State
}

// State is what belongs to one request; Reset clears it as a whole.
type State struct {
	Cache  *Cache
	Policy *Policy
	// Request is the client's, URL its canonical URL, Group the urlgroup; Now is when it
	// came.
	Request *http1.Request
	URL     []byte
	Group   string
	Now     time.Time

	Asked freshness.Request
	Rule  *freshness.Rule
	facts *acl.Facts // of the client's, while there is a Fill
	// Uses: the reply may come from the store, and go there.
	Uses bool
	// ByGET: it is a HEAD, and what was found is what a GET brought.
	ByGET bool

	// Served is the head of the reply as it was received, or stored; nil as long as
	// there is none.
	Served *http1.Reply
	// Held is what of a body that is not whole yet answers the request, nil for nothing;
	// its head is Stored's.
	Held *Held
	// Fill is the fetch whose reply may be stored, nil when there is none.
	Fill *Filling

	stored    bool      // the reply to the client's own fetch is, as a whole
	alone     bool      // Fill's reply turned out not to be stored: the fetch is the client's
	key       store.Key // of the URL, with the method of the request
	variant   store.Key // of the variant that was found
	tagged    []freshness.Variant
	others    bool     // variants of the URL are stored, none for this request
	swapped   bool     // the file of a stored object was not what it should be
	from      origin   // of what is served, empty for the client's own fetch
	joined    *Filling // somebody else's fetch that this request waited for or joined
	miss      missEdit
	keeping   keeping // of the reply to the client's own fetch
	collapsed bool    // others may wait for the fetch before the head of its reply is there
	decided   freshness.Decision
	refreshed int // the status of the origin's answer to a question about Stored, 0 for none
}

// origin is what the log says about where a reply came from.
type origin struct {
	code, host string
	undelayed  bool // by a peer with no-delay
}

// Reset forgets the request and keeps the storage.
func (r *Request) Reset() {
	r.Stored.forget()
	r.Filled.forget()
	r.selection, r.vary, r.StoreURL = r.selection[:0], r.vary[:0], r.StoreURL[:0]
	r.State = State{}
}

// Ask says what the request is about, for a port that is an accelerator's or not.
func (r *Request) Ask(asked freshness.Request, accelerated bool) {
	r.Asked, r.Rule = asked, r.Policy.Rules.Of(r.URL)
	if accelerated {
		r.Stored.accelerate()
		r.Filled.accelerate()
	}
}

// Find opens r.Stored on what the store has for the request. A HEAD is also answered
// by what a GET brought.
func (r *Request) Find(ctx context.Context) bool {
	method := r.Request.Method
	var known bool
	if r.key, known = r.Policy.Known.key(method, r.keptAs(), r.Group); !known {
		r.key = r.keyOf(method)
	}
	found := r.selectStored(ctx, r.key)
	if found && !known && r.Stored.InMemory() {
		r.Policy.Known.rememberKey(r.key, method, r.keptAs(), r.Group)
	}
	if !found && method == http1.HEAD && !r.others {
		found = r.selectStored(ctx, r.keyOf(http1.GET))
		r.ByGET = found
	}
	return found
}

// Distrust makes what was found none of the request's: the host may not belong where
// the client wanted to go.
func (r *Request) Distrust() {
	r.Stored.Close()
	r.dropHeld()
	r.Uses, r.others = false, false
}

// Decide decides what becomes of the request after Find.
func (r *Request) Decide(found bool) freshness.Decision {
	f := freshness.Found{HTTP: true, Others: r.others}
	if found {
		f.Object, f.InMemory = &r.Stored.Described, !r.Stored.FromDisk()
		_, f.Refreshing = r.Cache.refreshing.Load(r.Stored.key)
		f.Coming = r.joined != nil || r.Stored.Filler() != nil
		f.Ahead = r.ahead()
		f.Matches = r.Asked.Matching && freshness.Matches(&r.Request.Fields, &r.Stored.Reply.Fields)
	}
	d := r.Policy.Rules.Decide(r.Rule, &r.Asked, f, r.Now.Unix())
	if r.Held != nil && d.Action != freshness.Serve {
		// The origin is asked for what the client asks, as if there were no other parts.
		r.dropHeld()
		f.Object = nil
		d = r.Policy.Rules.Decide(r.Rule, &r.Asked, f, r.Now.Unix())
	}
	r.decided = d
	if r.swapped && d.Tag == freshness.TagMiss {
		d.Tag = freshness.TagSwapFailMiss
	}
	if f, ok := r.Stored.Filler().(*Filling); ok {
		r.joined = f
	}
	if r.joined != nil && (d.Tag == freshness.TagHit || d.Tag == freshness.TagMemHit) {
		// 2.6 logs who joins a transfer as the one who began it.
		d.Tag, r.from = freshness.TagMiss, r.joined.from
	}
	return d
}

// StoredWhole reports whether StoreWhole has stored the reply.
func (r *Request) StoredWhole() bool { return r.stored }

// Source is the fetch the reply comes from as long as it is the client's alone: the
// client's own, or one that turned out not to be stored.
func (r *Request) Source(own *fetch.Fetch) *fetch.Fetch {
	if r.Fill != nil && r.alone {
		return &r.Fill.Fetch
	}
	return own
}

// Hierarchy is the log's code of the hop the reply came from, and its name, for a
// client whose own fetch that is.
func (r *Request) Hierarchy(own *fetch.Fetch) (code, host string) {
	if r.from.code != "" {
		return r.from.code, r.from.host
	}
	return own.Hierarchy()
}

// Undelayed reports whether what goes to the client out of an object on its way comes
// from a peer with no-delay.
func (r *Request) Undelayed(o *Object) bool {
	f := r.Fill
	if o == &r.Stored {
		f, _ = o.Filler().(*Filling)
	}
	return f != nil && f.from.undelayed
}

// Leave gives back what the request has of the store.
func (r *Request) Leave() {
	if r.Fill != nil {
		r.Fill.leave(&r.Filled.Reader)
	}
	r.Stored.Close()
	r.Filled.Close()
	r.dropHeld()
}

// keptAs is the URL under which the reply is kept.
func (r *Request) keptAs() []byte {
	if len(r.StoreURL) > 0 {
		return r.StoreURL
	}
	return r.URL
}

// keyOf is the plain key of the URL.
func (r *Request) keyOf(method http1.Method) store.Key {
	parts := store.KeyParts{Method: method, URL: r.keptAs()}
	if r.Group != "" {
		parts.Group = []byte(r.Group)
	}
	return parts.Key()
}

// selectStored opens what is stored under a plain key: the object, or the variant of it
// that the request selects.
func (r *Request) selectStored(ctx context.Context, key store.Key) bool {
	if !r.open(ctx, key) {
		return false
	}
	if !r.Stored.isList() {
		return r.selected(nil)
	}
	data, ok := freshness.AppendVaryData(r.selection[:0], r.Stored.Reply.Get(http1.Vary), &r.Request.Fields)
	r.selection = data
	list, err := r.Stored.readList(ctx)
	r.Stored.Close()
	if !ok || err != nil {
		return false
	}
	r.others = true
	variant, listed := r.Policy.Rules.FindVariant(list, data)
	if !listed || !r.open(ctx, variant) || !r.selected(data) {
		return false
	}
	r.others, r.variant = false, variant
	return true
}

// open opens r.Stored on what is stored under a key.
func (r *Request) open(ctx context.Context, key store.Key) bool {
	waited, err := r.Stored.open(ctx, r.Cache.Store, r.Policy, r.Now, key, r.keptAs(), r.Asked.Joinable())
	if f, ok := waited.(*Filling); ok {
		r.joined = f
	}
	r.swapped = r.swapped || errors.Is(err, store.ErrSwapFail)
	return err == nil
}

// selected reports whether what was opened is a reply for the selection: where it
// varies, it was stored with one.
func (r *Request) selected(data []byte) bool {
	r.vary = r.Stored.Vary(r.vary[:0])
	if (len(data) > 0) == (len(r.vary) > 0) {
		return true
	}
	r.Stored.Close()
	return false
}
