// Package caching is what a request has to do with the store, as far as no client is
// concerned: what is stored for it, and the fetches that bring something there and may
// outlive the client they began for.
//
//	Cache      cache.go     the store with the fetches under way into it; config.go opens
//	                        it, news.go says what it reports
//	Request    request.go   one request's place in the store: which key, which variant
//	Object     object.go    what it found, with its head; body.go its bytes, parts.go
//	                        ranges of them
//	Filling    filling.go   a fetch into the store, begun by begin.go, which stores at once
//	                        what came whole; filled.go is its body on the way to the
//	                        client it began for
//	           keep.go      what is kept of a reply, variants.go where there are several
//	           refresh.go   the origin is asked whether what is stored is still the same
//	part       part.go      a part of a body on its way to a client; joins.go has those
//	                        that are not whole yet
//	Held       held.go      a part of one of those, for who asks for no more
//	           edit.go      how such a request differs from the client's
//	           invalidate.go what is not worth keeping any more
//
// The permit of an entry (package store) says which goroutine works on a Filling: that
// of the client it began for, or Fill.
package caching
