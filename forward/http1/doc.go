// Package http1 reads and writes HTTP/1 messages as bytes: heads, URLs and
// body framing. It opens no socket, keeps no policy and imports nothing of
// ours; the caller owns every buffer and says how strict to be.
//
// # Reading a head
//
//	req.Parse(buf, opts)       -> NeedMore | Complete (n bytes) | Failed (req.Fault)
//	rep.Parse(buf, eof, opts)  -> the same, for an origin's answer
//	url.Parse(method, target)  -> scheme, user info, host, port, path
//
// Request and Reply keep the bytes received (Head) and an index of the fields
// in them. Known names become small integers, so a lookup compares no text.
// All three structs are meant to be reused: once their slices have grown,
// parsing allocates nothing. Slices they hand out point into the caller's
// buffer (or into their own, after a repair) and live until the next Parse.
//
// # What is repaired and what is refused
//
// Squid 2.6 is the model of what passes: blanks before a colon, lines without
// a colon, bare CR and folded lines are repaired when Options.Relaxed is set
// and refused otherwise. Beyond that nothing passes that two HTTP parsers
// could read in two ways: differing or malformed Content-Length, folded or
// disguised framing fields, NUL anywhere, a second Host. A Fault says which
// rule was broken and what the access log calls it.
//
// # Bodies
//
// Request.Body and Reply.Body decide the framing (RFC 9112 section 6).
// Chunked decodes without copying; AppendChunkSize and LastChunk encode.
//
// # Writing a head
//
// Outgoing is an ordered list of fields, taken from a parsed head or made
// here, with remove, replace and append, and is written by appending to a
// slice. Everything that writes has the form AppendX(dst, ...) []byte.
package http1
