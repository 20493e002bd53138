// Package auth finds out who a client is: the schemes Basic, Digest, NTLM and
// Negotiate as Squid 2.6 speaks them, with helper programs that know the passwords.
//
// An Authenticator holds the schemes of one configuration. Check looks at the
// credentials of one request and fills its Login; Challenges and Info are the header
// fields that follow from it. What outlives a configuration (logins that were right,
// nonces, addresses of users) is in a Memory, what belongs to a connection (a
// handshake, and whom it proved) in a Conn.
//
// Passwords are kept nowhere: what was right is remembered as a keyed hash, and no
// log line or error of this package shows credentials or the answers of helpers.
package auth
