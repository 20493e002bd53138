// Package peer chooses among the cache_peer lines of a configuration.
//
// Array is the cache array routing protocol (draft-vinod-carp-v1-03): every key
// has one parent of the array, whoever asks, and when a parent leaves only its
// own keys move. 2.6 uses it with three keys: the URL (carp), the client's
// address (sourcehash) and the user (userhash).
//
// How a key finds its parent: the key and the name of each parent are hashed,
// the two hashes are mixed, and the mixture, multiplied by a factor that grows
// with the parent's weight, is the parent's score. The highest score of those
// that can be used now wins. The factors are such that each parent wins its share
// of all keys; the hash itself makes the shares a little uneven, and is kept
// because proxies of an array must agree on it, old ones included.
//
// The health of parents, their access lists and the other ways of choosing
// (default, round-robin, first that is up) are the business of package forward,
// which asks this one through a function that says who is usable.
package peer
