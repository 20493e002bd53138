// Package peer chooses the next hop of a request among the cache_peer lines of a
// configuration and the origin itself, and keeps what the choice needs: each peer's
// health, turns and number of connections.
//
// Select asks always_direct and never_direct, then the peers that may be used for
// the request: by type (neighbor_type_domain), cache_peer_domain and
// cache_peer_access, an address that is known, health (health.go) and max-conn. The
// first rule that names a peer decides: default, userhash, sourcehash, carp,
// round-robin, the first that is up.
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
package peer
