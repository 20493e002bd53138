// Package dns answers two questions: which addresses has this name, and which
// name has this address.
//
// Resolver is the whole interface; *Cache is its only real implementation. A
// question meets, in this order:
//
//	addresses in text form     answered at once, nothing is kept
//	the hosts file             hosts_file; never expires, read again at reconfigure
//	memory                     positive answers for their TTL within
//	                           negative_dns_ttl .. positive_dns_ttl, failures for
//	                           negative_dns_ttl, at most ipcache_size (fqdncache_size)
//	                           entries
//	the name servers           one question for all who ask the same at the same time
//
// Who asks chooses how: Addrs is for one who is going to connect and takes the
// next turn among the addresses, Look is for access lists, KnownName and
// Verified never wait and begin a lookup for the next one who asks.
//
// What comes back is believed only when it answers the question asked: id,
// name and type must agree, it must have come to the socket, connected to one server,
// that the question left from, and of the records only those count that hang on
// the name asked for. A truncated answer is asked for again over TCP. A question
// alone has a source port of its own; many share a few sockets at random (sockets.go).
//
// IPv4 and IPv6 addresses are asked for at the same time, each in a lookup of its own,
// and neither is waited for for long when the other is there (both.go).
//
// MarkBad and MarkGood carry the experience of connecting back into the order of
// the next answer. Belongs and Verified remember the addresses of earlier answers
// (host_verify_memory), since content networks answer differently each time.
//
// Everything here is bounded: entries, addresses per entry, questions under way in all
// and of each client (ClientKey), those nobody waits for any more, sockets, attempts,
// and time (dns_timeout).
package dns
