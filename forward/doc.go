// Package forward is the client's side of one HTTP transaction, readable from top to
// bottom, and what keeps transactions going: ports, client connections, one policy
// for each configuration.
//
//	accept        listener.go     an http_port line accepts
//	wait, read    serve.go        an idle connection holds no buffer and a small stack;
//	                              sniff.go looks whether it speaks HTTP, or TLS, and
//	                              keeps what does not come whole;
//	                              prefetch.go begins the next request early
//	carry, run    run.go          the request's way through the files below
//	understand    understand.go   URL, by the port's mode (package targeturi); framing of
//	                              the body
//	admit         admit.go        follow_x_forwarded_for, http_access (packages auth and
//	                              acl/external ask who it is), url_rewrite_program
//	lookup        lookup.go       asks the store (package caching) and decides: serve, ask
//	                              the origin whether it is the same, fetch
//	serveStored   lookup.go       what is stored, or a 304 or a range of it
//	revalidate    fill.go         asks the origin about a stale object, for a client or
//	                              behind it
//	fetchAnew     fill.go         fetches, into the store where that may be: by a fetch
//	                              that may outlive the client
//	forward       forward.go      has the request fetched (package fetch); a body that
//	                              must be collected first
//	checkReply    deliver.go      reply_body_max_size, http_reply_access
//	deliver       deliver.go      head and body to the client (package reply), or a page
//	                              in their place (error_map); write.go is the way there;
//	                              package delay says how fast
//	refuse        refuse.go       or a page of the proxy's own; package failure says why
//	own           own.go          the proxy's own objects, PURGE, TRACE
//	tunnel        tunnels.go      CONNECT, what is not HTTP, and TLS by its name
//	log           log.go          the line in access.log, and in store.log
//
// What all of these are about stands below them: a transaction (transaction.go), its
// client (client.go, with what ends when it hangs up), the policy it began with
// (policy.go), and the Server (server.go; life.go starts, changes and ends it).
//
// The order of header fields, what is added, the status and name of every page,
// when connections are kept and which requests are repeated are Squid 2.6's, as
// recorded.
//
// # Rules
//
// A connection is one goroutine. Nothing in a request without a body starts
// another one, and on kept connections nothing allocates: buffers and parsed
// heads belong to the transaction, which is used again, and the fetch and
// the reply are part of it. Strings handed to access lists and logs are views of its
// bytes.
//
// What belongs to one request is cleared as a whole, in the transaction, in its
// fetch and in its reply; a test puts something into every field and looks for it.
//
// A transaction keeps the policy it began with; Swap puts another
// one in its place, and the old one closes what it has open when its last
// transaction ends.
//
// What is done for a client ends when the client does: a reset is heard of by the
// sock.Watcher while the request waits for an origin, and cuts that wait. The
// client holds its fetches, never their connections. Whatever waits takes
// x.context, which costs nothing until then.
//
// # Rooms
//
// fetch (the origin side), reply (the way to the client), caching (the store and what is
// fetched into it) over store and freshness, delay (how fast things go to clients),
// holdings (what neighbours learn of the store), hitmark (marks of packets), misses (who
// is told of them), failure (why not), peer (next hops), targeturi, acl, auth (who the
// client is), rewrite and helper (programs that are asked), accesslog, errpage, icons,
// dns, ident, clients (all connections), tunnel (two of them joined), origin (connections
// to origins), http1 (messages), sock (connections as such), uses (counters of every
// request), overload, vitals and report. None imports forward; fetch and reply do not
// know each other.
package forward
