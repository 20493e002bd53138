package caching

import (
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// missEdit is how a request for what is not stored differs from the client's.
type missEdit struct {
	tags  []byte // of the variants there are, for If-None-Match
	whole bool   // without the range, so that the reply can be stored
	plain bool   // without conditions (ignore_ims_on_miss)
}

// edit finds out how.
func (r *Request) edit() (e missEdit) {
	rules, fields := r.Policy.Rules, &r.Request.Fields
	if r.others && !r.Asked.Reload {
		r.tagged, _ = freshness.ParseVariants(r.Stored.list)
		e.tags = freshness.AppendVariantTags(nil, fields, r.tagged)
	}
	e.whole = r.fetchesWhole()
	e.plain = rules.IgnoreIMSOnMiss && r.Asked.Conditional
	return e
}

// fetchesWhole: the range is not sent (range_offset_limit).
func (r *Request) fetchesWhole() bool {
	rules := r.Policy.Rules
	if !r.Asked.Ranged || rules.RangeOffsetLimit == 0 {
		return false
	}
	specs, ok := freshness.ParseRange(nil, r.Request.Fields.Get(http1.Range))
	return ok && rules.FetchesWhole(specs)
}

func (e *missEdit) any() bool { return len(e.tags) > 0 || e.whole || e.plain }

// leavesOut reports whether a field of the client's is not sent.
func (e *missEdit) leavesOut(id http1.Name) bool {
	switch id {
	case http1.IfNoneMatch:
		return e.plain || len(e.tags) > 0
	case http1.IfModifiedSince:
		return e.plain
	case http1.Range, http1.IfRange, http1.RequestRange:
		return e.whole
	}
	return false
}
