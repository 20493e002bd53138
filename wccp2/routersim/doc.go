// Package routersim is a WCCP router for tests, the demonstration and operators'
// labs: what a cache meets on the other end of the protocol.
//
// The control plane is pure. A Router takes datagrams and the time, and says what
// it would send and what happened:
//
//	router.Receive(now, from, datagram)
//	router.Advance(now)         // timers
//	router.Take(now)            // datagrams due, with their destination
//	router.Next()               // when to call again without a datagram
//
// so that a simulation with a clock of its own and a process on real sockets run
// the same code. Every event goes to one function as an Event, which the program
// cmd/routersim writes as a line of JSON.
//
// A Router keeps service groups by (kind, number). A cache becomes usable when it
// returns the receive id of our last I_SEE_YOU; the member change number then goes
// up. A REDIRECT_ASSIGN counts when it comes from a usable cache, with the receive
// id and change number that cache was shown last. Caches unheard for two and a
// half intervals are asked with REMOVAL_QUERY and dropped after three.
//
// An accepted assignment becomes a Table: immutable, and all that the packet side
// (package dataplane) knows. Buckets of caches that left are Unassigned in the next
// Table at once.
//
// Real routers' hash is not published: the exclusive or of the chosen fields' octets
// stands in. It has the property everything rests on, that the same addresses give
// the same bucket in both directions, and no other should be read into it.
//
// Faults makes a router behave badly on purpose: it loses, doubles, reorders, cuts
// and delays datagrams, forgets what it knew, signs with a wrong password, shows
// wrong receive ids, or says nothing.
package routersim
