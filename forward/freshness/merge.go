package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Merge puts the head of a stored reply, renewed by the fields of a 304 (or of a
// reply to HEAD), into out: fields the new head has replace those of the same name
// where the first of them stood, new names follow (RFC 9111 section 3.2). What says
// how the stored body is framed and coded stays, an age does not, and what belongs to one
// hop or one client is not taken over.
func Merge(out *http1.Outgoing, stored, renewed *http1.Fields) {
	out.Reset()
	for i := range stored.Len() {
		switch at := firstOf(renewed, stored.ID(i), stored.Key(i)); {
		case at < 0 && stored.ID(i) == http1.Age:
			// It was the age of the reply that was stored.
		case at < 0 || !renews(renewed, at):
			out.Copy(stored, i)
		case firstOf(stored, stored.ID(i), stored.Key(i)) == i:
			copyNamed(out, renewed, at)
		}
	}
	for i := range renewed.Len() {
		if renews(renewed, i) && firstOf(stored, renewed.ID(i), renewed.Key(i)) < 0 {
			out.Copy(renewed, i)
		}
	}
}

// copyNamed copies all fields of the name field at has.
func copyNamed(out *http1.Outgoing, f *http1.Fields, at int) {
	for i := at; i < f.Len(); i++ {
		if sameName(f, i, f.ID(at), f.Key(at)) {
			out.Copy(f, i)
		}
	}
}

func firstOf(f *http1.Fields, id http1.Name, key []byte) int {
	if id != http1.Other && !f.Has(id) {
		return -1
	}
	for i := range f.Len() {
		if sameName(f, i, id, key) {
			return i
		}
	}
	return -1
}

func sameName(f *http1.Fields, i int, id http1.Name, key []byte) bool {
	return f.ID(i) == id && (id != http1.Other || http1.EqualFold(f.Key(i), key))
}

// renews reports whether field i of a 304 takes part in renewing a stored head.
func renews(f *http1.Fields, i int) bool {
	switch id := f.ID(i); id {
	case http1.ContentLength, http1.ContentEncoding, http1.ContentRange, http1.ContentType, http1.ContentMD5, http1.ETag,
		http1.Connection, http1.ProxyConnection, http1.KeepAlive, http1.TE, http1.Trailer, http1.TransferEncoding,
		http1.Upgrade, http1.ProxyAuthenticate, http1.ProxyAuthenticationInfo, http1.Via, http1.SetCookie,
		http1.WWWAuthenticate, http1.AuthenticationInfo, http1.XCache, http1.XCacheLookup:
		return false
	}
	return !f.ConnectionLists(f.Key(i))
}
