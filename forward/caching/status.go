package caching

import (
	"strconv"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// AppendStatus appends what Cache-Status says of how the request was answered (RFC
// 9211), behind the cache's name: hit says that it was from the store, status is that
// of the reply.
func (r *Request) AppendStatus(dst []byte, hit bool, status int) []byte {
	switch {
	case hit && r.refreshed != 0:
		dst = strconv.AppendInt(append(dst, "; fwd=stale; fwd-status="...), int64(r.refreshed), 10)
	case hit && r.joined != nil:
		return append(dst, "; fwd=uri-miss; collapsed"...)
	case hit:
		dst = append(dst, "; hit"...)
	default:
		dst = append(append(dst, "; fwd="...), r.forwarded()...)
		if status > 0 {
			dst = strconv.AppendInt(append(dst, "; fwd-status="...), int64(status), 10)
		}
		if r.stored || r.Fill != nil && !r.alone {
			dst = append(dst, "; stored"...)
		}
		return dst
	}
	if expires := r.Stored.Described.Expires; expires != freshness.None {
		dst = strconv.AppendInt(append(dst, "; ttl="...), expires-time.Now().Unix(), 10)
	}
	return dst
}

// forwarded is why the request went on, in the words of RFC 9211 section 2.2.
func (r *Request) forwarded() string {
	switch {
	case r.Asked.Method != http1.GET && r.Asked.Method != http1.HEAD:
		return "method"
	case !r.Uses:
		return "bypass"
	case r.decided.Basis == freshness.ByReload, r.decided.Basis == freshness.ByReloadIntoIMS, r.Asked.ForOrigin, r.Asked.Matching:
		return "request"
	case r.decided.Lookup != freshness.LookupMiss:
		return "stale"
	case r.others:
		return "vary-miss"
	}
	return "uri-miss"
}

// StatusName is the name of a cache as Cache-Status has it: a token, or a string where
// it is none (RFC 8941 section 3.3).
func StatusName(host string) string {
	if host != "" && isLetter(rune(host[0])) && strings.IndexFunc(host, notOfToken) < 0 {
		return host
	}
	return strconv.Quote(host)
}

func isLetter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func notOfToken(c rune) bool {
	return c != '.' && c != '-' && c != '_' && (c < '0' || c > '9') && !isLetter(c)
}
