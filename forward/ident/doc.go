// Package ident asks a client's host which user opened a connection (RFC 1413;
// 2.6 calls it RFC 931). One short question over TCP port 113, one line as the
// answer:
//
//	6193, 23 : USERID : UNIX : stjohns
//
// The answer is worth as much as the client's host is trusted. The package only
// speaks the protocol: whom to ask, how long to wait and what to do with the
// name is its caller's.
package ident
