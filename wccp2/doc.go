// Package wccp2 is the cache's side of WCCP, versions 2 and 1: it announces the
// cache to routers, listens to what they say of their service groups and, where
// this cache is the designated one, tells them how to divide their traffic.
//
// # Shape
//
// [Engine] is the protocol: a state machine without sockets, clocks or
// goroutines. Packets and the passing of time are events put in; datagrams to
// send and lines to log are [Action] values taken out. The time is whatever the
// caller says it is, so that a day can be simulated in a second.
// [Runner] gives an Engine the UDP socket, the real clock and the log.
// Package wire holds the codec.
//
// # Life of a group
//
// A service and one router make a pairing (type router), all pairings of one
// service the group. Ten seconds apart a HERE_I_AM goes to every router
// (announce.go); the router's I_SEE_YOU is checked for origin, form, password
// and freshness (receive.go), judged by its capabilities (capability.go) and
// kept as that router's view (view.go). Fifteen seconds after the last change of
// any view, the lowest address among the caches that all routers see (elect.go)
// divides the buckets (divide.go, sticky.go) and sends REDIRECT_ASSIGN
// (assign.go), again and again until every router shows the assignment's key.
//
// # Sources
//
// Comments cite draft-wilson-wrec-wccp-v2-01 as "draft" with its section, and
// the recorded facts about Squid 2.6 as "FACTS". Statements of FACTS marked
// [draft] were held against the draft's text:
//
//   - routers not heard from leave the view: 4.6 lists in a cache's view "routers
//     that have sent" an I_SEE_YOU; it names no time, the three intervals are
//     4.14's for the other direction.
//   - REMOVAL_QUERY is answered by three HERE_I_AM a tenth of the interval
//     apart: 4.14. They are "identical" there; ours carry the receive id current
//     when each is sent, since an answer to the first makes the old one invalid.
//   - the current or last known buckets stand in the cache identity: 5.7.2.
//   - the cache view lists caches learnt from routers: 4.6, 5.6.6.
//   - an assignment names only caches seen by every router: 4.8.1, 4.8.2.
//   - the designated cache has to hear every router of the group: 4.9.
//   - an assignment is made 1.5 intervals after a change, may be repeated after
//     one interval when a view lacks its key, and is due within five: 4.8.1.
//
// # IPv6
//
// The revision of 2012 (draft-mclaggan-wccp-v2rev1-00) brings version 2.01, whose
// messages may have addresses of either family, but of one in each message: routers of
// IPv6 make a group of their own for each service, with an election among the IPv6
// addresses of the caches. Those groups are asked for layer 2, since GRE over IPv6 is not
// received. Values of a mask are assigned by their numbers there. Comments cite that
// revision as "rev1"; of what it lets a cache do, the protocol's version is not
// negotiated (3.4: with IPv6 there is no lower one, with IPv4 2.00 does), nor are the
// intervals (3.5.4, 3.5.5: a router is told 10 seconds by silence).
package wccp2
