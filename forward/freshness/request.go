package freshness

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Request is what a client's request says about caching.
type Request struct {
	Method  http1.Method
	Control Control
	// Reload: the client wants the origin asked.
	Reload bool
	// Authorized: the reply is for the holder of credentials.
	Authorized bool
	// Conditional: If-None-Match, or If-Modified-Since with a date.
	Conditional bool
	// ModifiedSince is the date of If-Modified-Since, None when that is absent, no
	// date, or outweighed by If-None-Match (RFC 9110 section 13.1.3).
	ModifiedSince int64
	// Accelerated: the client asked this proxy as its origin.
	Accelerated bool
	// Ranged: a GET with a Range.
	Ranged bool
	// ForOrigin: ranges in no order, which 2.6 leaves to the origin.
	ForOrigin bool
	// Matching: If-Match, see Found.Matches.
	Matching bool
}

// Port says what matters here of the port a request came in on.
type Port struct {
	// Gateway: an accelerating or intercepting port, whose clients know of no proxy.
	Gateway bool
	// Accelerated: one of the former.
	Accelerated bool
}

// ReadRequest reads the head of a request. userinfo: its URL carries credentials.
func (r *Rules) ReadRequest(req *http1.Request, userinfo bool, port Port) Request {
	f := &req.Fields
	q := Request{
		Method:        req.Method,
		Control:       ReadControl(f),
		Authorized:    userinfo || f.Has(http1.Authorization),
		ModifiedSince: None,
		Accelerated:   port.Accelerated,
		Ranged:        req.Method == http1.GET && f.Has(http1.Range),
	}
	if f.Has(http1.IfNoneMatch) {
		q.Conditional = true
	} else if f.Has(http1.IfModifiedSince) {
		q.ModifiedSince = modifiedSince(f.Get(http1.IfModifiedSince))
		q.Conditional = q.ModifiedSince != None
	}
	q.Matching = f.Has(http1.IfMatch)
	q.ForOrigin = q.Ranged && disordered(f.Get(http1.Range))
	q.Reload = q.Control.Has(NoCache) || f.ListHas(http1.Pragma, "no-cache") ||
		r.IERefresh && port.Gateway && f.Has(http1.IfModifiedSince) && oldExplorer(f.Get(http1.UserAgent))
	return q
}

// modifiedSince reads an If-Modified-Since; what follows a semicolon (the length
// old browsers add) is not looked at (cache/ims-length).
func modifiedSince(value []byte) int64 {
	if at := bytes.IndexByte(value, ';'); at >= 0 {
		value = value[:at]
	}
	t, ok := http1.ParseDate(value)
	if !ok || t.Unix() < 0 {
		return None
	}
	return t.Unix()
}

// oldExplorer: versions of Internet Explorer whose reload button sends a plain
// conditional request through proxies they do not know of.
func oldExplorer(agent []byte) bool {
	_, version, found := bytes.Cut(agent, []byte("MSIE "))
	if !found {
		return false
	}
	for _, old := range []string{"3.", "4.", "5.0", "5.01"} {
		if bytes.HasPrefix(version, []byte(old)) {
			return true
		}
	}
	return false
}

// Cacheable reports whether the answer to the request may come from a store, and
// may be kept as far as the method says: GET and HEAD (2.6 knows no others).
func (q *Request) Cacheable() bool { return q.Method == http1.GET || q.Method == http1.HEAD }

// MayKeep reports whether the reply to the request may be stored as far as the
// request says. A fetch for which it is false can be private from the start.
func (q *Request) MayKeep(rule *Rule) bool {
	return q.Cacheable() && (!q.Control.Has(NoStore) || rule.IgnoreNoStore)
}

// noneMatch: the request is conditional by If-None-Match.
func (q *Request) noneMatch() bool { return q.Conditional && q.ModifiedSince == None }

// Joinable reports whether the request may wait for a fetch another one began: by
// GET or HEAD, for all of the object, without conditions, credentials or a reload.
func (q *Request) Joinable() bool {
	return q.Cacheable() && !q.Conditional && !q.Ranged && !q.Authorized && !q.Reload && !q.ForOrigin && !q.Matching && !q.Control.Has(NoStore)
}
