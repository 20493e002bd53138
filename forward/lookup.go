package forward

import (
	"context"
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// cached is a transaction's dealing with the store. What is here keeps its storage, and
// reset empties it.
type cached struct {
	// stored is what the store has for the request, filled what this request brings
	// there.
	stored, filled storedObject
	selection      []byte // the text of the selecting fields, where the reply varies
	url            []byte // storeurl_rewrite_program's, empty for the request's own

	cachedState
}

// cachedState is cleared as a whole.
type cachedState struct {
	served  *http1.Reply // the head of the reply as it was received, or stored
	tagged  []freshness.Variant
	rule    *freshness.Rule
	asked   freshness.Request
	key     store.Key // of the URL, with the method of the request
	uses    bool      // the reply may come from the store
	others  bool      // variants of the URL are stored, none for this request
	swapped bool      // the file of a stored object was not what it should be

	joined *filling // somebody else's fetch that this request waited for or joined
	fill   *filling // the fetch whose reply may be stored, nil when there is none
	alone  bool     // it turned out that it is not: the fetch is the client's alone
	from   origins  // where what is served was fetched from
}

func (c *cached) reset() {
	c.stored.forget()
	c.filled.forget()
	c.selection, c.url = c.selection[:0], c.url[:0]
	c.cachedState = cachedState{}
}

// origins is what the log says about where a reply came from.
type origins struct{ code, host string }

// lookup asks the store, and decides what becomes of the request.
func (x *transaction) lookup() freshness.Decision {
	rules := x.p.fetch.Rules
	x.cached.rule = rules.Of(x.canonicalURL)
	x.cached.asked = rules.ReadRequest(&x.req, len(x.url.Userinfo) > 0, freshness.Port{Gateway: x.form.Accelerated || x.form.Rebuilt, Accelerated: x.form.Accelerated})
	x.cached.stored.accelerated, x.cached.filled.accelerated = x.form.Accelerated, x.form.Accelerated
	if x.cached.uses = x.mayUseStore(); !x.cached.uses {
		return freshness.Decision{Action: freshness.Fetch, Tag: freshness.TagMiss, Lookup: freshness.LookupMiss}
	}
	x.rewriteStoreURL()
	found := freshness.Found{HTTP: x.url.Scheme == http1.SchemeHTTP}
	if x.find() {
		found.Object, found.InMemory = &x.cached.stored.object, !x.cached.stored.fromDisk
		_, found.Refreshing = x.cl.srv.refreshing.Load(x.cached.stored.key)
	}
	found.Others = x.cached.others
	d := rules.Decide(x.cached.rule, &x.cached.asked, found, x.now.Unix())
	if x.cached.swapped && d.Tag == freshness.TagMiss {
		d.Tag = freshness.TagSwapFailMiss
	}
	if f, ok := x.cached.stored.Filler().(*filling); ok {
		x.cached.joined = f
	}
	if x.cached.joined != nil && (d.Tag == freshness.TagHit || d.Tag == freshness.TagMemHit) {
		// 2.6 logs who joins a transfer as the one who began it.
		d.Tag, x.cached.from = freshness.TagMiss, x.cached.joined.from
	}
	return d
}

// mayUseStore reports whether the reply may come from the store, and go into it, as
// far as can be told without asking it.
func (x *transaction) mayUseStore() bool {
	switch {
	case !x.cached.asked.Cacheable(), x.url.Scheme != http1.SchemeHTTP, x.body.Framing != http1.NoBody, x.mayUpgrade(), x.reply.Hop.Bare:
		return false
	case x.cl.pin.Tied(), http1.AuthenticatesConnection(x.req.Get(http1.Authorization)):
		return false // the connection is the client's own
	case x.forged():
		return false
	}
	return x.p.lists.Cache.Check(x.context(), &x.facts).Allowed()
}

// forged reports whether the host of an intercepted request is known not to belong
// where the client wanted to go.
func (x *transaction) forged() bool {
	if !x.claims() {
		return false
	}
	verified, known := x.cl.srv.names.Verified(http1.View(x.url.Host), x.cl.meant.Addr())
	return known && !verified
}

// claims reports whether the host is an intercepted client's claim about where it
// dialled, and not what url_rewrite_program put in its place.
func (x *transaction) claims() bool {
	return x.cl.intercepted && x.form.Rebuilt && !x.form.Rewritten && x.p.cfg.HostVerify
}

// verifyWait is how long a request for what is stored waits to learn whether its
// host belongs where the client wanted to go.
const verifyWait = time.Second

// verified waits for that.
func (x *transaction) verified() bool {
	if !x.claims() {
		return true
	}
	ctx, cancel := context.WithTimeout(x.context(), verifyWait)
	defer cancel()
	belongs, _ := x.cl.srv.names.Belongs(ctx, http1.View(x.url.Host), x.cl.meant.Addr())
	return belongs
}

// find opens x.cached.stored on what the store has for the request. A HEAD is also answered
// by what a GET brought.
func (x *transaction) find() bool {
	x.cached.key = x.keyOf(x.req.Method)
	found := x.selectStored(x.cached.key, x.req.Method)
	if !found && x.req.Method == http1.HEAD && !x.cached.others {
		found = x.selectStored(x.keyOf(http1.GET), http1.GET)
	}
	if found && !x.verified() {
		x.cached.stored.Close()
		x.cached.uses, x.cached.others, found = false, false, false
	}
	return found
}

// rewriteStoreURL asks storeurl_rewrite_program under which URL the reply is kept.
func (x *transaction) rewriteStoreURL() {
	r := x.p.helpers.rewriters.StoreURL
	if r == nil || !x.p.lists.StoreURLAccess.Check(x.context(), &x.facts).Allowed() {
		return
	}
	x.cached.url = append(x.cached.url[:0], r.Store(x.context(), x.question())...)
}

// storeURL is the URL under which the reply is kept.
func (x *transaction) storeURL() []byte {
	if len(x.cached.url) > 0 {
		return x.cached.url
	}
	return x.canonicalURL
}

// keyOf is the plain key of the URL.
func (x *transaction) keyOf(method http1.Method) store.Key {
	parts := store.KeyParts{Method: method, URL: x.storeURL()}
	if x.facts.URLGroup != "" {
		parts.Group = []byte(x.facts.URLGroup)
	}
	return parts.Key()
}

// selectStored opens what is stored under a plain key: the object, or the variant of it
// that the request selects.
func (x *transaction) selectStored(key store.Key, method http1.Method) bool {
	if !x.open(key) {
		return false
	}
	if !x.cached.stored.isList() {
		return x.selected(nil)
	}
	data, ok := freshness.AppendVaryData(x.cached.selection[:0], x.cached.stored.head.Get(http1.Vary), &x.req.Fields)
	x.cached.selection = data
	list, err := x.cached.stored.readList(x.context())
	x.cached.stored.Close()
	if !ok || err != nil {
		return false
	}
	x.cached.others = true
	variant, listed := freshness.FindVariant(list, data)
	if !listed || !x.open(variant) || !x.selected(data) {
		return false
	}
	x.cached.others = false
	return true
}

// open opens x.cached.stored on what is stored under a key.
func (x *transaction) open(key store.Key) bool {
	waited, err := x.cached.stored.open(x.context(), x.cl.srv.store, x.p, x.now, key, x.storeURL(), x.cached.asked.Joinable())
	if f, ok := waited.(*filling); ok {
		x.cached.joined = f
	}
	x.cached.swapped = x.cached.swapped || errors.Is(err, store.ErrSwapFail)
	return err == nil
}

// selected reports whether what was opened is a reply for the selection: where it
// varies, it was stored with one.
func (x *transaction) selected(data []byte) bool {
	x.page = x.cached.stored.Vary(x.page[:0])
	if (len(data) > 0) == (len(x.page) > 0) {
		return true
	}
	x.cached.stored.Close()
	return false
}

// purge takes what is stored for the URL away.
func (x *transaction) purgeStored() (found bool) {
	for _, method := range []http1.Method{http1.GET, http1.HEAD} {
		found = x.cl.srv.store.Purge(x.keyOf(method)) || found
	}
	return found
}

// leaveStore gives back what the transaction has of the store.
func (x *transaction) leaveStore() {
	if x.cached.fill != nil {
		x.cached.fill.leave(x)
	}
	x.cached.stored.Close()
	x.cached.filled.Close()
}
