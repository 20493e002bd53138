// Package origin keeps and opens connections to origins and peers.
//
// A Pool holds the connections that wait for their next request, by Key: the
// address a connection was opened as, the address it leads to, and the peer it
// was opened for. A connection opened as subscriber A never serves B.
//
// The pool is bounded in connections a key and in all, and in time
// (pconn_timeout). A kept connection that its origin closes leaves the pool at
// once, because the Watcher says so; one on which bytes came that nobody asked
// for is found when it is taken out, and closed. What happens in the moment in
// between is the business of the transaction, which tries again where a
// repeated request does no harm.
//
// A Dialer opens new ones: one address at a time, within the time it is given.
// The error it returns carries the address tried and the system's number.
package origin
