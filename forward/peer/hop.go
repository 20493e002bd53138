package peer

// Hop is one place a request may be sent to next.
type Hop struct {
	// Code is the hierarchy code of the log: DIRECT, FIRST_UP_PARENT, …
	Code string
	// Peer is nil for the origin itself.
	Peer *Peer
	// Pinned is the connection tied to the client; the log does not tell of it.
	Pinned bool
}

// Hierarchy codes.
const (
	Direct           = "DIRECT"
	DefaultParent    = "DEFAULT_PARENT"
	RoundRobinParent = "ROUNDROBIN_PARENT"
	FirstUpParent    = "FIRST_UP_PARENT"
	AnyParent        = "ANY_PARENT"
	CARP             = "CARP"
	SourceHashParent = "SOURCEHASH_PARENT"
	UserHashParent   = "USERHASH_PARENT"
)
