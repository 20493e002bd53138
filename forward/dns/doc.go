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
// Everything here is bounded: entries, addresses per entry, waiting questions,
// attempts, and time (dns_timeout).
package dns
