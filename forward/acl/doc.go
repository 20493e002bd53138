// Package acl decides: may this transaction go on, which way, with which
// address, and is it logged.
//
// Compile turns the acl lines and every access list of a configuration into a
// Set. A Set is immutable and shared by all transactions that began with that
// configuration. Each List in it is named after its directive.
//
// The rules of 2.6 hold exactly:
//
//   - lines are tried in order; the first whose ACLs all match decides
//   - a line stops at its first ACL that does not match
//   - "!" inverts a clear yes or no; an ACL that cannot tell (no credentials, no
//     such source) matches neither way
//   - when no line matches, the opposite of the last line's word holds
//   - a list without lines has the directive's own default
//   - values within one ACL are alternatives
//
// One rule is new, because 2.6 knew no IPv6: the opposite-of-the-last-line
// default never admits an IPv6 client, and an address ACL written for IPv4
// matches no IPv6 address, except "all" and 0.0.0.0/0 which match every client.
//
// What an ACL type needs beyond the message comes through Sources. Looking up a
// name or asking a helper blocks the caller's goroutine, and happens only when
// evaluation really reaches that ACL.
//
// Large lists are cheap: addresses live in a compressed radix table, domains in
// a map of suffixes, regular expressions are preceded by one pass that looks
// for the literals they need.
package acl
