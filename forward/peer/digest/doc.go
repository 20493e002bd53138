// Package digest is cache digests (Cache Digest specification, version 5): what a
// cache holds, as a Bloom filter that its neighbours fetch. digest.go has the
// filter and its bytes, builder.go makes our own in slices while requests go on.
//
// A digest is 128 octets of header and a mask. An object's key, the MD5 of its
// method's number and its URL, is four 32-bit numbers; each of them, modulo the
// size of the mask in bits, is one bit of the mask, the lowest bit of an octet
// first. All four set means: probably there.
package digest
