// Package gre carries what a WCCP router redirects by GRE: it takes the packets
// out of their wrapping and gives back those that are not ours.
//
// The codec is pure. Parse reads one GRE packet (RFC 2784, with the key and
// sequence number of RFC 2890) of three kinds: plain IPv4 or IPv6 inside, and
// WCCP's own protocol 0x883E with or without its redirect header. Header.Append
// writes the same. Inner checks the packet that was inside.
//
// A Decapsulator is the tunnel of a kernel that has none: a raw socket receives
// the routers' packets in batches, their contents are written to a TUN device,
// and from there the host's rules treat them as packets from a wire (facts 21 and
// 22). Outer fragments are put together by the kernel, inner ones by the rules.
//
//	router --GRE--> raw socket -> Parse -> Inner -> TUN device -> TPROXY rule
//
// One goroutine and one queue of the TUN device do this. BenchmarkDecapsulate moves
// 320,000 packets of 1,400 octets a second on one core of a cloud machine, 3.6 Gbit/s,
// and the way from there through TCP and the proxy costs a core several times as
// much: a second queue (IFF_MULTI_QUEUE) would only put packets of a connection out
// of order. A kernel with GRE of its own, which is preferred, uses all cores.
//
// Whatever the rules do not take is forwarded: other ports, and packets from the
// middle of connections that were under way past this cache when it was given
// their bucket. When the router asked to have it
// back by GRE (return method GRE), policy routing sends it to the TUN device
// again, and the Decapsulator wraps it for the router it came from, with the
// redirect header it came with (fact 26).
//
// Nothing loops: a packet whose outer or inner source is an address of ours is
// dropped, every pass through the host takes one from the packet's time to live,
// and what we send carries our mark.
//
// OpenBest prefers the kernel's own tunnel where KernelTunnels says there are any.
package gre
