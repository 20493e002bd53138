package freshness

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// safe reports whether a method changes nothing at the origin (RFC 9110 section 9.2.1,
// and the registry's for the methods of WebDAV).
func safe(m http1.Method) bool {
	switch m {
	case http1.GET, http1.HEAD, http1.OPTIONS, http1.TRACE, http1.PROPFIND, http1.REPORT, http1.SEARCH, http1.CONNECT, http1.PURGE:
		return true
	}
	return false
}

// Invalidates reports whether a reply to a request makes what is stored for its URL
// worthless: a success, or a redirect, of an unsafe or unknown method (RFC 9111
// section 4.4), and what 2.6 takes for the end of an object.
// The places its Location and Content-Location name are worthless too when it Succeeded,
// see SamePlace.
func Invalidates(m http1.Method, status int) bool {
	return !safe(m) && (Succeeded(status) || (status == 404 || status == 410) && replaces(m))
}

// Succeeded reports whether a reply tells no error.
func Succeeded(status int) bool { return status >= 200 && status < 400 }

// replaces reports whether a method is about the object at the URL as a whole: 2.6 knows
// these, and not POST.
func replaces(m http1.Method) bool {
	switch m {
	case http1.PUT, http1.DELETE, http1.PROPPATCH, http1.MKCOL, http1.MOVE, http1.BMOVE, http1.BDELETE:
		return true
	}
	return false
}

// Supersedes reports whether a reply to GET that is not kept itself shows that what is
// stored for its URL is out of date.
func Supersedes(status int) bool {
	switch status {
	case 200, 203, 300, 301, 302, 403, 404, 405, 410:
		return true
	}
	return false
}

// SamePlace resolves a Location or Content-Location against the URL of the request and
// appends the absolute URL; ok is false when it names another authority, whose
// objects nobody here may remove (RFC 9111 section 4.4), or none. url is in the
// canonical form of store keys.
func SamePlace(dst, url, location []byte) (place []byte, ok bool) {
	root := authorityEnd(url)
	if root < 0 || len(location) == 0 {
		return dst, false
	}
	if at := bytes.IndexByte(location, '#'); at >= 0 {
		location = location[:at]
	}
	switch end := authorityEnd(location); {
	case end >= 0:
		if !http1.EqualFold(location[:end], url[:root]) {
			return dst, false
		}
		dst = append(dst, url[:root]...)
		if end == len(location) {
			return append(dst, '/'), true
		}
		return append(dst, location[end:]...), true
	case bytes.HasPrefix(location, []byte("//")), len(location) == 0, scheme(location):
		return dst, false
	case location[0] == '/':
		return append(append(dst, url[:root]...), location...), true
	case location[0] == '?':
		path, _, _ := bytes.Cut(url, []byte("?"))
		return append(append(dst, path...), location...), true
	}
	path, _, _ := bytes.Cut(url[root:], []byte("?"))
	dir := path[:bytes.LastIndexByte(path, '/')+1]
	return append(append(append(dst, url[:root]...), dir...), location...), !bytes.Contains(location, []byte("./"))
}

// authorityEnd is where the authority of an absolute URL ends, -1 for others.
func authorityEnd(url []byte) int {
	at := bytes.Index(url, []byte("://"))
	if at <= 0 || bytes.ContainsAny(url[:at], "/?#") {
		return -1
	}
	at += 3
	for at < len(url) && url[at] != '/' && url[at] != '?' {
		at++
	}
	return at
}

// scheme reports whether a reference begins with a scheme, as "mailto:" does.
func scheme(b []byte) bool {
	colon := bytes.IndexByte(b, ':')
	return colon > 0 && !bytes.ContainsAny(b[:colon], "/?")
}
