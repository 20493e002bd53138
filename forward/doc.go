// Package forward is the life of one HTTP transaction, readable from top to
// bottom, and what keeps transactions going: ports, client connections, one
// policy for each configuration.
//
//	accept        listener.go     an http_port line accepts
//	wait, read    client.go       an idle connection holds no buffer and a small stack
//	                              (hangup.go: what ends with the client)
//	run           transaction.go  the request's way through the files below
//	understand    understand.go   URL, by the port's mode; framing of the body
//	admit         admit.go        follow_x_forwarded_for, http_access
//	               (the store will be asked here)
//	chooseHops    nexthop.go      direct, parents, or nothing
//	fetch         fetch.go        each next hop in turn, again where that is right: connect.go
//	                              (resolve.go), exchange.go (requesthead.go, upload.go)
//	judge         deliver.go      framing, reply_body_max_size, http_reply_access
//	deliver       deliver.go      head (replyhead.go) and body to the client
//	refuse        page.go         or a page of the proxy's own; failure.go says why
//	tunnel        tunnel.go       CONNECT
//	log           reuse.go        the line in access.log
//
// The order of header fields, what is added, the status and name of every page,
// when connections are kept and which requests are repeated are Squid 2.6's, as
// recorded.
//
// # Rules
//
// A connection is one goroutine. Nothing in a request without a body starts
// another one, and on kept connections nothing allocates: buffers and parsed
// heads belong to the transaction, which is reused (reuse.go). Strings handed to
// access lists and logs are views of its bytes.
//
// A transaction keeps the policy it began with (policy.go); Swap puts another
// one in its place, and the old one closes what it has open when its last
// transaction ends.
//
// What belongs to the client connection ends when the client does: a reset is
// heard of by the sock.Watcher while the request waits for an origin, and cuts
// that wait. Whatever waits takes x.context, which costs nothing until then.
//
// An origin connection that a client has authenticated (NTLM) is that client's
// alone: pin.go. What HTTP/1.1 adds on either side is in http11.go and upgrade.go.
//
// Rooms below: http1 (messages), acl, accesslog, errpage, dns, peer (next
// hops), origin (connections to origins), sock (connections as such). None
// imports forward.
package forward
