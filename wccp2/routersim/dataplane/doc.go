// Package dataplane is the packet side of a simulated WCCP router on Linux.
//
// It works in the network namespace it is opened in, which has to be the
// router's. Packets travel like this:
//
//	subscriber --> interface --> nftables: service? --no--> forwarded by the kernel
//	                                  |yes: mark
//	                                  v
//	                      policy route to the service's TUN
//	                                  |
//	                     table: which cache has the bucket?
//	                       |                         |none
//	                       v                         v
//	            GRE or layer 2 to the cache    back by the TUN, forwarded
//
// Packets a cache returns in GRE come back by the TUN "wccp-back". What comes from
// a TUN, and what comes in by an interface with exclude-in, is never marked.
//
// "Redirect in" looks at the interface a packet came by, "redirect out" at the one
// the kernel's routes would send it out by. Fragments but the first carry no ports
// and are forwarded, as real routers do that cannot find their bucket.
//
// GRE packets that exceed the path are fragmented outside, by the kernel.
//
// Close takes everything back: devices, rules, routes, kernel variables. After a
// kill the devices and their routes are gone with the process, and the next Open
// clears what is left of the rules.
package dataplane
