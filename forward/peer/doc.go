// Package peer chooses among the cache_peer lines of a configuration.
//
// Array is the cache array routing protocol (draft-vinod-carp-v1-03): every key
// has one parent of the array, whoever asks, and when a parent leaves only its
// own keys move. 2.6 uses it with three keys: the URL (carp), the client's
// address (sourcehash) and the user (userhash).
package peer
