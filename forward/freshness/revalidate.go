package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Revalidation adds the conditions of a request that asks the origin whether the
// stored reply is still the one: its date, and its entity tag behind those the client
// has, before all other fields (cache/reval-304). The client's own conditions are left
// out by the caller (ReplacedByRefresh). It adds nothing where there is nothing to ask with.
func (r *Rules) Revalidation(out *http1.Outgoing, req, stored *http1.Fields, o *Object) {
	if !r.Refreshable(o) {
		return
	}
	if modified := stored.Get(http1.LastModified); modified != nil {
		if _, ok := http1.ParseDate(modified); ok {
			out.Add(http1.IfModifiedSince, modified)
		}
	}
	tag := stored.Get(http1.ETag)
	if !entityTag(tag) {
		return
	}
	if !asksOther(req, tag) {
		out.Add(http1.IfNoneMatch, tag)
	} else if listHasTag(req, tag) {
		out.Set(req.AppendList(out.Pieces(), http1.IfNoneMatch)).End(http1.IfNoneMatch)
	} else {
		out.List(req, http1.IfNoneMatch).Bytes(tag).End(http1.IfNoneMatch)
	}
}

// asksOther reports whether the client has entity tags other than this one.
func asksOther(req *http1.Fields, tag []byte) bool {
	if !req.Has(http1.IfNoneMatch) || req.ListHas(http1.IfNoneMatch, "*") {
		return false
	}
	return req.Count(http1.IfNoneMatch) > 1 || string(req.Get(http1.IfNoneMatch)) != string(tag)
}

// ReplacedByRefresh reports whether a field of the client's request is left out of one
// that revalidates: the conditions, which Revalidation has taken in. They stay where there is
// nothing to ask the origin with but them: a 304 is about what the client has then.
func (r *Rules) ReplacedByRefresh(o *Object, id http1.Name) bool {
	return r.Refreshable(o) && (id == http1.IfModifiedSince || id == http1.IfNoneMatch)
}

// Refreshable reports whether the origin is asked if a stored reply is still the same: 2.6
// asks so about a 200 only.
func (r *Rules) Refreshable(o *Object) bool {
	return o.validators() && (o.Status == 200 || o.Status == 206 || r.ByRFC)
}

// validators reports whether there is something to ask the origin with.
func (o *Object) validators() bool { return o.LastModified != None || o.Has(Tagged) }
