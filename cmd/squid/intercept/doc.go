// Package intercept is the host's network for a running copy of the proxy: the
// sockets that carry other hosts' addresses, the packets routers send in GRE, the
// rules at the start and the end, the routers of WCCP, and a watch over all of it.
//
// Reading order:
//
//	needs.go      what a configuration asks for, and the capabilities it takes
//	want.go       the same as tproxy/host puts it: ports, families, GRE
//	host.go       the life of it, from the start to the end of the process
//	network.go    tproxy in the shape forward asks for
//	rules.go      network_setup
//	gre.go        the receiver of routers' GRE
//	wccp.go       the announcer
//	watch.go      what changes underneath; counts.go what -k network shows
//	preflight.go  what the host lacks
//
// What needs root after root was given up is asked of a Root, which
// cmd/squid/privsep implements.
package intercept
