// Package sock holds TCP connections the way forward uses them: few system
// calls, deadlines that cost nothing while they are kept, notice of a peer
// that went away, and splice(2).
//
// # Waiting
//
// Go's poller reports edges: a socket becomes readable once, and whoever
// resets that mark before reading loses it. A plain Read resets the mark, asks
// the kernel, is told "nothing yet", and only then sleeps; in a proxy nearly
// every read begins that way. Two calls here avoid the wasted question:
//
//   - Exchange resets the mark first, then writes, then sleeps: an answer can
//     only come after the request, so its edge cannot be lost.
//   - Turns sleeps without resetting between two turns: a read that did not fill
//     its buffer has emptied the socket, whatever comes later is a new edge.
//
// # Deadlines
//
// ReadUntil and WriteUntil note a time. The runtime's timer is armed for the
// first one only and moved when it fires too early, so that renewing a deadline
// on progress is a store.
//
// # Hang-ups
//
// A Watcher is told by the kernel when a peer closes or resets (EPOLLRDHUP,
// EPOLLHUP), for connections nobody is reading: a client whose request is under
// way, an origin connection that waits for its next use. It never sees data.
//
// # Descriptors
//
// A connection that is made for one exchange of a few packets costs little beside what
// the runtime's poller does for it: a call to tell the kernel of it and one to take that
// back, two to look at its flags, a finalizer, and a close around which the scheduler looks
// for another thread. A Descriptor is a socket that the Watcher waits for, without any of
// these. Its events pass through the Watcher's goroutine, which is why connections that
// carry many requests are not Descriptors.
//
// A Pair is two of them that one goroutine reads: a tunnel, until there is much to move.
//
// # Splice
//
// Splice moves bytes from socket to socket through a pipe that is taken when
// the source is readable and given back when it is empty. Pipes are bounded;
// without one it copies through a pooled buffer.
package sock
