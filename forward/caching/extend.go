package caching

import (
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/refreshcheck"
)

// Stale is what external_refresh_check is asked about a decision to ask the origin; ask is
// false where its word would not count: the client demands that the origin is asked, or
// the origin that nothing stale is served.
func (r *Request) Stale(d freshness.Decision) (q refreshcheck.Question, ask bool) {
	o := &r.Stored
	if d.Action != freshness.Refresh || d.Basis > freshness.ByMaximum ||
		o.Described.Has(freshness.NeverStale) && !r.Rule.IgnoreMustRevalidate {
		return q, false
	}
	return refreshcheck.Question{URI: r.keptAs(), Reply: &o.Reply.Fields, Age: o.Described.Age(r.Now.Unix())}, true
}

// Extend makes what r.Stored is open on fresh for as long as external_refresh_check
// says, with the fields it gives in the place of its own.
func (r *Request) Extend(a refreshcheck.Answer) {
	o, head := &r.Stored, &r.Stored.Reply
	if a.Fields != "" {
		var given http1.Reply
		if !parseHead(&given, []byte("HTTP/1.0 304 Not Modified\r\n"+a.Fields+"\r\n"), r.Policy.Policy) {
			return
		}
		if head = o.merged(&given.Fields, r.Policy.Policy); head == nil {
			return
		}
	}
	if a.Seconds > 0 {
		o.Described.Expires = r.Now.Unix() + a.Seconds
	}
	r.Cache.replaceHead(o, head, r.Rule)
}
