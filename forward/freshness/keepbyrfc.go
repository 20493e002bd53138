package freshness

import (
	"slices"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// heuristic are the statuses whose replies are kept without the origin's word for how
// long (RFC 9110 section 15.1).
var heuristic = []int{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}

// bound are statuses of replies that answer more of the request than its URL:
// credentials, conditions, a range, an expectation, the connection, or the client itself
// (RFC 6585 forbids to store the last four).
var bound = []int{206, 304, 401, 407, 412, 416, 417, 421, 425, 428, 429, 431, 511}

// keepByRFC decides with rfc9111_rules (RFC 9111 section 3). It leaves to 2.6's rules
// what the origin says nothing about.
func (r *Rules) keepByRFC(rule *Rule, rep *http1.Reply, cc *Control, at Times, peer bool, o *Object) (k Keeping, decided bool) {
	lasting := cc.Has(Public) || slices.Contains(heuristic, int(o.Status))
	switch {
	case o.Status < 200 || slices.Contains(bound, int(o.Status)):
		return NeverStatus, true
	case o.Expires == None && !cc.Has(NoCache) && (!lasting || o.LastModified == None):
		return 0, false
	case undated(rep, peer, o) || !r.worthKeeping(rule, o, at.Received):
		return NeverExpiry, true
	}
	return KeepObject, true
}

// sharing are the directives with which a reply to credentials may be kept for others
// (RFC 9111 section 3.5); 2.6 goes by public alone.
func (r *Rules) sharing() Directive {
	if r.ByRFC {
		return Public | MustRevalidate | SMaxAge
	}
	return Public
}
