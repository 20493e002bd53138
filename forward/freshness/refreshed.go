package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Outcome is what the origin's answer to a revalidation means.
type Outcome uint8

// The outcomes of AfterRefresh.
const (
	// ServeRenewed: 304; the stored head is renewed and the client gets the object, or the
	// range of it that it asked for; its conditions are spoken for.
	ServeRenewed Outcome = iota
	// PassNotModified: 304; the stored head is renewed and the client, who has the
	// object, gets the origin's 304.
	PassNotModified
	// ServeOld: the origin failed; the client gets the stale object, which is not renewed.
	// Its conditions do not count (2.6 sends the object).
	ServeOld
	// Replace: the client gets the origin's reply, which takes the place of the object
	// if it is kept.
	Replace
	// PassOther: 304 for what the client has, which is not what is stored: that goes, and
	// the client gets the origin's 304.
	PassOther
	// Again: a 304 for something else than what is stored. It is asked again without
	// conditions, and what is stored goes (RFC 9111 section 4.3.4).
	Again
)

// AfterRefresh says what follows from the origin's reply to a revalidation, and the
// tag to log. rep is nil when there was none: the origin could not be reached. With
// must-revalidate that is an error for the client (ok false), as 2.6 has it not.
func (r *Rules) AfterRefresh(rule *Rule, q *Request, req, stored *http1.Fields, o *Object, rep *http1.Reply, now int64) (outcome Outcome, tag Tag, ok bool) {
	// A client that wants the origin asked has RFC 9111 section 5.2.1.4 on its side.
	demanded := r.ByRFC && q.Reload && !rule.IgnoreReload
	switch {
	case rep == nil:
		// 2.6 logs TCP_REFRESH_HIT here too (cache/reval-fail).
		return ServeOld, TagRefreshHit, !demanded && r.MayFailStale(rule, o, now)
	case rep.Status == 304 && !r.Refreshable(o):
		return PassOther, TagRefreshHit, true
	case rep.Status == 304:
		if !sameValidators(&rep.Fields, stored) {
			if listHasTag(req, rep.Get(http1.ETag)) {
				return PassOther, TagRefreshMiss, true
			}
			return Again, TagRefreshMiss, true
		}
		if r.Precondition(q, req, stored, o) {
			return PassNotModified, TagRefreshHit, true
		}
		return ServeRenewed, TagRefreshHit, true
	case rep.Status >= 500 && !demanded && r.MayFailStale(rule, o, now):
		return ServeOld, TagRefreshHit, true
	}
	return Replace, TagRefreshMiss, true
}

// sameValidators reports whether a 304 can be about the stored reply: a strong entity tag
// that differs says it is not, and so does, without any tag, a change after the stored
// reply was made, since it was asked whether there is one. An earlier date may be that of
// another server for the same origin, or of one that reckons it back from the time of the
// request; 2.6 takes that, too.
func sameValidators(rep, stored *http1.Fields) bool {
	tag := rep.Get(http1.ETag)
	if strongTag(tag) {
		have := stored.Get(http1.ETag)
		return have == nil || string(have) == string(tag)
	}
	had := fieldTime(stored, http1.LastModified)
	return tag != nil || had == None || fieldTime(rep, http1.LastModified) <= max(had, fieldTime(stored, http1.Date))
}

// Retracts reports whether a 304 says that the reply it renews is no longer for all who
// ask as those did for whom it was stored: private, no-store, or a Vary with other fields
// than the stored one. It still answers the request the 304 came for.
func (r *Rules) Retracts(rule *Rule, notModified, stored *http1.Fields, accelerated bool) bool {
	cc, _ := r.readReply(notModified, accelerated)
	if cc.Has(Private) && !rule.IgnorePrivate || cc.Has(NoStore) && !rule.IgnoreNoStore {
		return true
	}
	for vary := notModified.AppendList(nil, http1.Vary); ; {
		name, rest := http1.NextItem(vary)
		if len(name) == 0 {
			return false
		}
		if !stored.ListHas(http1.Vary, string(name)) {
			return true
		}
		vary = rest
	}
}
