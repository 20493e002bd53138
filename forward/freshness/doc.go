// Package freshness decides what a cache may keep, for how long, and what it
// may answer with it: RFC 9111 and the refresh rules of Squid 2.6 and 2.7 as
// functions of heads and times. It has no clock, no store and no socket, and
// remembers nothing.
//
//	ReadRequest     request.go      what a client's request says about caching
//	Describe        object.go       what has to be known of a stored reply, from its head
//	Keep            keep.go         whether a reply is stored: kept, kept as an error, never
//	Check           check.go        whether a stored reply is fresh, by which rule
//	Decide          decide.go       fetch, serve, refresh, refuse, with the tag of the log
//	Precondition    condition.go    304 or the object, for a conditional request
//	Revalidation    revalidate.go   the conditions of a request that asks the origin
//	AfterRefresh    refreshed.go    what its answer means for the client and the object
//	Merge           merge.go        the head of a stored reply renewed by a 304
//	Variants        variants.go     the variants of a URL; vary.go tells them apart
//	Ranges          ranges.go       parts of a stored reply; multipart.go frames several
//	Join            partial.go      parts that make up the whole
//	Supersedes      invalidate.go   what a reply says about older ones
//
// Times are seconds since 1970, durations seconds; None stands for a time the
// origin did not give.
//
// Where 2.6 breaks a MUST of RFC 9111 the RFC is followed:
//
//   - a request with no-store is not stored (5.2.1.5);
//   - must-revalidate, proxy-revalidate and s-maxage forbid stale answers, when
//     the origin fails too (5.2.2.2, 5.2.2.8, 5.2.2.10);
//   - a successful unsafe request invalidates, POST too (4.4);
//   - a 304 renews the stored head, unless update_headers is off (3.2);
//   - If-Modified-Since beside If-None-Match is not looked at (RFC 9110, 13.1.3);
//   - a stored 204 has no Content-Length (RFC 9110, 8.6), and a 304 has the Vary of
//     what is stored (RFC 9110, 15.4.5).
//
// Safer than 2.6, too: the error that made a stale object be served does not take
// its place.
//
// Beyond 2.6: a 206 with all of a body, and those that make it up together, are stored as
// the 200 they could have been (3.4).
//
// Where 2.6 is merely different it is 2.6: only a 200 is asked about with conditions,
// replies to HEAD that vary are not kept, min-fresh is ignored, replies to
// authorized requests need public, no-cache replies are not stored, If-None-Match
// compares weakness too and sends redirects back to the origin, 304 replies
// carry no Cache-Control, and a range that cannot be satisfied, or is of what came
// without a length, gets the whole.
package freshness
