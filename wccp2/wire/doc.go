// Package wire is the packet codec of WCCP: bytes to typed messages and back,
// for the cache's side and the router's alike. It opens no socket, keeps no
// state and reads no clock.
//
// Sources, cited as "draft" in the comments of this package:
//
//   - draft-wilson-wrec-wccp-v2-01 (April 2001): version 2.0. Section numbers
//     without another name are this document's.
//   - the same draft's revision of November 2001, where it says more: the bit
//     of the cache identity that tells mask data from hash data (5.7.2).
//   - draft-mclaggan-wccp-v2rev1-00 (August 2012): version 2.01, the address
//     table and the elements built on it; "rev1" in comments. Wireshark 4 reads
//     two of them otherwise than its text has them: masks of addresses it takes
//     for IPv4 with a table too (6.15), and before the hash table of an alternate
//     assignment map (5.3.4) it looks for a key and routers.
//   - draft-forster-wrec-wccp-v1-00 (July 2000): version 1, in v1.go.
//
// # Messages
//
// [Parse] turns a datagram into a [Message] whose components are typed fields,
// nil where absent; [Message.Append] does the reverse, in the draft's order of
// components. Both directions are symmetric: what one side appends the other
// parses to an equal value, whoever plays which part.
//
// # What is refused
//
// Every length and count is held against the bytes that are there before
// anything is allocated for it, so a message never costs more than a small
// multiple of its datagram. A component that has to be understood for the kind
// of message it stands in, and cannot be, refuses the message; the same
// component where it has no business is put aside in [Message.Skipped], as are
// components of unknown type. The order of components is free. A component
// that comes twice refuses the message, since one of the two would be obeyed
// and the other ignored.
//
// # Security
//
// A parsed message is not an authenticated one: [Authentic] says whether the
// digest fits a password. Check it before believing anything else.
package wire
