// Package reply is the reply on its way to one client.
//
//	Copy, ActAsOrigin   head.go, asorigin.go   the origin's fields, without its hop's
//	Frame               cross.go               how the client learns where the body ends
//	Finish              head.go                what this hop says, and the whole head
//	Send                cross.go               the body, by the one loop all bodies pass
//
// A body is what gives bytes (Body): an origin's connection, the cache, a page made
// here. Where nothing looks at its bytes and there is a bare socket behind it, they
// are spliced; else they are copied, within reply_body_max_size (limit.go), by length,
// in chunks, or until the connection's end. The client is what bytes are written to
// (Client). Neither is known by its type.
package reply
