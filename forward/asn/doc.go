// Package asn knows which addresses belong to an autonomous system, for the ACL types
// src_as and dst_as. As with 2.6 one question for each number is put to a routing
// registry's whois server (as_whois_server) at the start and at each reconfigure:
//
//	!gAS1241
//
// The server answers with the networks that have that origin, between a line with
// their length and one that says the answer is complete (IRRd's protocol, version 1),
// and closes the connection. Until it has, an address belongs to no system, or to
// those of the answer before; a question that fails is put again, which 2.6 did not do.
// The networks are IPv4 ones: 2.6 asks for no others.
package asn
