// Package judge reads HTTP/1 messages by the letter of RFC 9112 and forgives
// nothing. It serves tests alone: what the proxy passes on, in either direction,
// must be the same messages to a reader that shares no line with the product.
//
// Where two readers could differ the judge says so instead of choosing: two
// lengths, a length beside a coding, a folded line, a bare CR or LF, a NUL, a
// name that is no token, a chunk size with anything but digits. Other control
// characters and bytes above 127 in targets and values pass, since they end
// nothing and Squid 2.6 passes them on.
package judge
