// Command demo shows the founding network at work: two configurations of 2006, on
// this machine, with the real binary.
//
// For each configuration it builds, out of network namespaces,
//
//	adsl subscriber 10.100.0.10 ---+                    +--- origins 192.0.2.x
//	                               +--- [ router ] -----+
//	dialup subscriber 10.101.0.10 -+        |           +--- name server
//	fibre subscriber 2001:db8:100::10       |
//	                                 cache 10.102.0.2
//
// The router is bin/routersim, the cache bin/squid, the subscribers use curl. The
// router hands requests (service 80, on the way in) and answers (service 90, on the
// way out to the subscribers) to the cache in GRE; the cache speaks to each side
// with the other's address. What the IPv6 subscriber says to the web, and is answered,
// the router sends to the cache by policy routing: it speaks WCCP for IPv4 only.
//
// Then subscribers fetch pages, and of each fetch the demo shows what both ends and
// both logs say. A fetch passes only when all of it fits together: the origin saw
// the subscriber, the subscriber spoke to the origin, access.log has the request,
// the answer carries the cache's mark, and the router redirected both directions of
// the connection. The exit status is 0 when every fetch passed, else 1.
//
// Whatever happens, an interrupt included, the namespaces are removed.
package main
