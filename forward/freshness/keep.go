package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Keeping says whether a reply is stored.
type Keeping uint8

// What becomes of a reply. The reasons for Never are apart so that tests, and a
// reader of debug lines, see which rule spoke.
const (
	KeepObject         Keeping = iota // stored, with the freshness described
	KeepError                         // stored for negative_ttl
	NeverMethod                       // not GET or HEAD
	NeverNoStore                      // no-store, of either side
	NeverPrivate                      // private
	NeverNoCache                      // no-cache, or Pragma: no-cache
	NeverAuth                         // credentials, and the reply is not public
	NeverVary                         // Vary: *, or cache_vary off
	NeverMixed                        // multipart/x-mixed-replace
	NeverStatus                       // the status code is not stored
	NeverExpiry                       // stale too soon, and nothing to ask with
	NeverBroken                       // the head was cut
	NeverPartial                      // 206
	NeverNotUnderstood                // must-understand, and the status is not understood
)

var keepings = [...]string{"kept", "kept as an error", "not kept: method", "not kept: no-store", "not kept: private", "not kept: no-cache",
	"not kept: credentials", "not kept: Vary", "not kept: multipart/x-mixed-replace", "not kept: status", "not kept: stale at once",
	"not kept: head was cut", "not kept: 206", "not kept: must-understand"}

// String is for debug lines.
func (k Keeping) String() string {
	if int(k) < len(keepings) {
		return keepings[k]
	}
	return "not kept"
}

// Never reports whether the reply is not stored.
func (k Keeping) Never() bool { return k > KeepError }

// statusRule says how replies with a status code are kept.
type statusRule uint8

const (
	statusNever    statusRule = iota
	statusAlways              // when it can be fresh, or refreshed
	statusExplicit            // when the origin says for how long
	statusError               // by negative_ttl
)

var statusRules = func() (t [600]statusRule) {
	for _, s := range []int{200, 203, 300, 301, 410} {
		t[s] = statusAlways
	}
	t[302] = statusExplicit
	for _, s := range []int{204, 305, 400, 403, 404, 405, 414, 500, 501, 502, 503, 504} {
		t[s] = statusError
	}
	return t
}()

func ruleOfStatus(status int) statusRule {
	if status < 0 || status >= len(statusRules) {
		return statusNever
	}
	return statusRules[status]
}

// Keep decides whether the reply to a request is stored, and describes it if so.
// peer: the reply came from a cache_peer, whose undated replies are not kept.
// An error kept by negative_ttl has Negative set and expires then.
func (r *Rules) Keep(rule *Rule, q *Request, rep *http1.Reply, at Times, peer bool) (Keeping, Object) {
	cc, targeted := r.readReply(&rep.Fields, q.Accelerated)
	o := r.describe(rep, cc, targeted, fieldTime(&rep.Fields, http1.Date), at)
	if size, ok := WholePart(rep); ok {
		o.Status, o.Length = 200, size
	}
	return r.keep(rule, q, rep, cc, targeted, at, peer, &o), o
}

// KeepJoined is Keep for a 206 that brings a part of a body of size bytes, all of which is
// there by then: it counts as a 200 with that body.
func (r *Rules) KeepJoined(rule *Rule, q *Request, rep *http1.Reply, at Times, peer bool, size int64) (Keeping, Object) {
	cc, targeted := r.readReply(&rep.Fields, q.Accelerated)
	o := r.describe(rep, cc, targeted, fieldTime(&rep.Fields, http1.Date), at)
	o.Status, o.Length = 200, size
	return r.keep(rule, q, rep, cc, targeted, at, peer, &o), o
}

func (r *Rules) keep(rule *Rule, q *Request, rep *http1.Reply, cc Control, targeted bool, at Times, peer bool, o *Object) Keeping {
	switch {
	case !q.Cacheable():
		return NeverMethod
	case rep.Truncated:
		return NeverBroken
	case q.Control.Has(NoStore) && !rule.IgnoreNoStore:
		return NeverNoStore
	case cc.Has(NoStore) && !rule.IgnoreNoStore && !(cc.Has(MustUnderstand) && ruleOfStatus(int(o.Status)) != statusNever):
		return NeverNoStore
	case cc.Has(MustUnderstand) && ruleOfStatus(int(o.Status)) == statusNever:
		return NeverNotUnderstood
	case cc.Has(Private) && !rule.IgnorePrivate:
		return NeverPrivate
	case !r.ByRFC && !rule.IgnoreNoCache && (cc.Has(NoCache) || !targeted && rep.ListHas(http1.Pragma, "no-cache")):
		return NeverNoCache
	case q.Authorized && !rule.IgnoreAuth && !cc.Has(r.sharing()):
		return NeverAuth
	case rep.Has(http1.Vary) && (!r.CacheVary || rep.ListHas(http1.Vary, "*") || q.Method == http1.HEAD && !r.ByRFC):
		return NeverVary // 2.6 knows no variants of HEAD
	case mixedReplace(rep.Get(http1.ContentType)):
		return NeverMixed
	case o.Status == 206:
		return NeverPartial
	}
	if r.ByRFC {
		if k, decided := r.keepByRFC(rule, rep, &cc, at, peer, o); decided {
			return k
		}
	}
	return r.keepStatus(rule, rep, at, peer, o)
}

func mixedReplace(contentType []byte) bool {
	const replaced = "multipart/x-mixed-replace"
	return len(contentType) >= len(replaced) && http1.EqualFold(contentType[:len(replaced)], replaced)
}

func (r *Rules) keepStatus(rule *Rule, rep *http1.Reply, at Times, peer bool, o *Object) Keeping {
	switch ruleOfStatus(int(o.Status)) {
	case statusAlways:
		switch {
		case !r.worthKeeping(rule, o, at.Received):
			return NeverExpiry
		case undated(rep, peer, o):
			return NeverExpiry
		}
		return KeepObject
	case statusExplicit:
		// Whether that is over by now is not looked at, as in 2.6.
		if date := fieldTime(&rep.Fields, http1.Date); date == None || o.Expires == None || o.Expires <= min(date, at.Received) {
			return NeverExpiry
		}
		return KeepObject
	case statusError:
		return r.keepError(rule, at.Received, o)
	}
	return NeverStatus
}

func undated(rep *http1.Reply, peer bool, o *Object) bool {
	return peer && !rep.Has(http1.Date) && o.LastModified == None && o.Expires == None
}

// worthKeeping is minimum_expiry_time: what is stale so soon is kept only when
// the origin can be asked about it.
func (r *Rules) worthKeeping(rule *Rule, o *Object, now int64) bool {
	if !r.Check(rule, o, nil, now+r.MinimumExpiry).Stale {
		return true
	}
	return o.validators()
}

// keepError keeps an error for negative_ttl, whatever the origin said: with
// negative_ttl 0 it is not kept, as in 2.6.
func (r *Rules) keepError(rule *Rule, now int64, o *Object) Keeping {
	ttl := r.NegativeTTL
	if rule.NegativeTTL >= 0 {
		ttl = rule.NegativeTTL
	}
	if ttl <= 0 {
		return NeverExpiry
	}
	o.Expires = now + ttl
	o.Flags |= Negative
	return KeepError
}
