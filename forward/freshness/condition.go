package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Precondition reports whether a stored reply that may be served is one the client
// has: then 304 is the answer, and TagIMSHit its tag. Conditions count for a 200
// only (RFC 9110 section 13.2.1), and If-None-Match outweighs If-Modified-Since
// (section 13.1.3).
func (r *Rules) Precondition(q *Request, req, stored *http1.Fields, o *Object) (notModified bool) {
	switch {
	case !q.Cacheable() || !q.Conditional || o.Status != 200:
		return false
	case req.Has(http1.IfNoneMatch):
		return listHasTag(req, stored.Get(http1.ETag))
	}
	modified := o.LastModified
	if modified == None && r.ByRFC {
		modified = fieldTime(stored, http1.Date) // RFC 9111 section 4.3.2
	}
	return modified != None && modified <= q.ModifiedSince
}

// NotModifiedFields are the fields of a stored reply that a 304 made of it has, in this
// order: what 2.6 sends (fact "The 304 has type and validators but no
// Cache-Control"), and behind it what RFC 9110 section 15.4.5 wants as well.
var NotModifiedFields = [...]http1.Name{
	http1.Date, http1.ContentType, http1.Expires, http1.LastModified, http1.ETag, http1.ContentLocation, http1.Vary,
}

// HitField reports whether a field of a stored reply goes out with a hit: Set-Cookie
// was for one client (cache/hit-set-cookie), and the age is counted anew.
func HitField(id http1.Name) bool { return id != http1.SetCookie && id != http1.Age }

// RangeHolds reports whether an If-Range, if any, allows parts of the stored reply:
// a strong entity tag that is its own, or its date (RFC 9110 section 13.1.5).
func RangeHolds(req, stored *http1.Fields) bool {
	value := req.Get(http1.IfRange)
	if value == nil {
		return true
	}
	if entityTag(value) {
		return strongTag(value) && string(value) == string(stored.Get(http1.ETag))
	}
	t, ok := http1.ParseDate(value)
	if !ok {
		return false
	}
	modified := fieldTime(stored, http1.LastModified)
	if modified == None || modified != t.Unix() {
		return false
	}
	date := fieldTime(stored, http1.Date)
	return date != None && date-modified >= strongAfter
}

// strongAfter is how much older than its Date a Last-Modified must be to be a strong
// validator, in seconds (RFC 9110 section 8.8.2.2 leaves the number to us beyond one).
const strongAfter = 1
