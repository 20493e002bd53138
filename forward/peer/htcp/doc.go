// Package htcp is the Hypertext Caching Protocol, version 0.1 (RFC 2756), as Squid
// 2.6 speaks it: messages as bytes (message.go, data.go) and the answers to
// requests (answer.go). It opens no socket and knows no peer; what an answer
// depends on comes through Knowledge.
//
// A message is a header (length of the whole, version), data and an
// authentication part, which is neither looked at nor made: it is always its own
// length, 2. The data begins with eight octets:
//
//	octet 0-1  length of the data
//	      2    opcode, response code
//	      3    reserved bits, F1 (an answer is wanted), RR (this is the answer)
//	    4-7    transaction number
//
// and goes on with what the opcode needs: TST has a specifier (method, URI,
// version, header fields), its answer a detail (three lists of header fields),
// CLR a reason and a specifier. Version 0.0 has the bits of octets 2 and 3 the
// other way round, as Squid 2.5 sent them on most machines.
package htcp
