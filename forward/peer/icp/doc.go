// Package icp is the Internet Cache Protocol, version 2 (RFC 2186, RFC 2187), as
// Squid 2.6 speaks it: messages as bytes (message.go) and the answers to queries
// (answer.go). It opens no socket and knows no peer; what an answer depends on
// comes through Knowledge.
//
// A message is 20 octets of header and a URL that ends with a NUL; a query has
// the address of the client who wants the URL in front of it:
//
//	octet   0  opcode
//	        1  version, 2 (or 3, which is read like 2 and answered with 2)
//	     2- 3  length of the whole message
//	     4- 7  request number
//	     8-11  options, flags
//	    12-15  option data: hops and milliseconds to the origin
//	    16-19  sender's address
package icp
