// Package fetch is the origin side of one request: from what is to be fetched to
// the head of a reply and a body that can be read.
//
//	Begin     fetch.go      what is to be fetched (request.go), under which policy
//	Choose    hops.go       the places to try, best first (package peer), the client's
//	                        own connection among them (pin.go)
//	Head      fetch.go      each hop in turn, again where that is right:
//	  connect connect.go    a kept connection or a new one, to where resolve.go says;
//	                        verify.go where the name is a client's claim
//	  send    exchange.go   the head (requesthead.go) and the body (upload.go)
//	  answer  exchange.go   1xx replies passed on, then the head of the reply
//	Next      body.go       the body's bytes, or the socket they come from
//	Leave     connect.go    the connection is kept or closed
//
// A fetch knows no client connection. Whom it is made for it knows as addresses, as
// the facts of access lists, and as somebody Waiting who hears of what happens on the
// way; a fetch of the proxy's own has nobody (owned.go). What it is asked views
// what belongs to the one who asks, who may embed it by value: nothing on the way of
// a request without body allocates.
//
// One goroutine at a time works on a fetch; Abort may be called by anybody. The
// rules of trying again, the fields sent and their order, when connections are
// kept and which requests are repeated are Squid 2.6's, as recorded.
package fetch
