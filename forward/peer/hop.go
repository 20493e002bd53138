package peer

import "strings"

// Hop is one place a request may be sent to next.
type Hop struct {
	// Code is the hierarchy code of the log: DIRECT, FIRST_UP_PARENT, …
	Code string
	// Peer is nil for the origin itself.
	Peer *Peer
	// Pinned is the connection tied to the client; the log does not tell of it.
	Pinned bool
	// Asks is set while the peer is only asked whether it has something (HTCP).
	Asks bool
}

// Hierarchy codes.
const (
	Direct            = "DIRECT"
	SiblingHit        = "SIBLING_HIT"
	ParentHit         = "PARENT_HIT"
	DefaultParent     = "DEFAULT_PARENT"
	FirstUpParent     = "FIRST_UP_PARENT"
	FirstParentMiss   = "FIRST_PARENT_MISS"
	ClosestParentMiss = "CLOSEST_PARENT_MISS"
	ClosestParent     = "CLOSEST_PARENT"
	ClosestDirect     = "CLOSEST_DIRECT"
	RoundRobinParent  = "ROUNDROBIN_PARENT"
	DigestParentHit   = "CD_PARENT_HIT"
	DigestSiblingHit  = "CD_SIBLING_HIT"
	CARP              = "CARP"
	AnyParent         = "ANY_PARENT"
	UserHashParent    = "USERHASH_PARENT"
	SourceHashParent  = "SOURCEHASH_PARENT"
)

// timeout stands in front of the code of whatever was chosen after a neighbour did
// not answer in time.
const timeout = "TIMEOUT_"

// TimedOutNone is what the log has where nobody was left to go to after that.
const TimedOutNone = timeout + "NONE"

// timedOut gives each code with timeout in front, so that nothing is built for a
// request.
var timedOut = func() map[string]string {
	codes := map[string]string{}
	for _, code := range []string{
		Direct, SiblingHit, ParentHit, DefaultParent, FirstUpParent, FirstParentMiss, ClosestParentMiss, ClosestParent,
		ClosestDirect, RoundRobinParent, DigestParentHit, DigestSiblingHit, CARP, AnyParent, UserHashParent, SourceHashParent,
	} {
		codes[code] = timeout + code
	}
	return codes
}()

// NamesAddress reports whether the log shows the origin's address in the place of
// its name for the hop (log_ip_on_direct): 2.6 does so for the code DIRECT alone.
func (h *Hop) NamesAddress() bool {
	return h.Peer == nil && !h.Pinned && strings.TrimPrefix(h.Code, timeout) == Direct
}
