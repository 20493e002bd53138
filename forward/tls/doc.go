// Package tls reads what a TLS client says before anything is encrypted: the
// ClientHello (RFC 8446 section 4.1.2) and in it the server's name (RFC 6066
// section 3). It terminates nothing and imports nothing of ours; whoever passes
// the bytes on passes them unchanged.
//
// A name stands here in the clear, but it is the client's word alone: whether it
// belongs to the address the client connects to is for others to find out. With an
// encrypted ClientHello (the extension encrypted_client_hello) the name is that of
// the outer one, the provider's, and the site's own name is not to be seen;
// browsers send the extension with random content too, so its presence proves
// nothing.
package tls
