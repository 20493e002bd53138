package store

import "math"

// Time is a moment in seconds since 1970, up to 2106. The zero value is 1970.
type Time uint32

// Unknown stands for a time a reply does not give (2.6's -1).
const Unknown Time = math.MaxUint32

// TimeOf is the moment of Unix time t: Unknown for a negative one, the last
// moment there is for a later one.
func TimeOf(t int64) Time {
	switch {
	case t < 0:
		return Unknown
	case t >= int64(Unknown):
		return Unknown - 1
	}
	return Time(t)
}

// Unix is the moment as 2.6 writes it: -1 when unknown.
func (t Time) Unix() int64 {
	if t == Unknown {
		return -1
	}
	return int64(t)
}

// Flags are 2.6's flags of an object, in its bits: they are written to swap.state
// and to object files.
type Flags uint16

// The flags of 2.6, in its order. Those that describe a running process (how a
// fetch is under way) have no meaning in a file and are not set here.
const (
	// Special objects never leave and are not written to disk (icons).
	Special Flags = 1 << iota
	// Revalidate objects are asked about before each use once they are stale.
	Revalidate
	// DelaySending: nothing is sent before all is there.
	DelaySending
	// ReleaseRequest: leaves with its last reader.
	ReleaseRequest
	// RefreshRequest objects are asked about before each use, however fresh. 2.6 has the
	// flag, never sets it and does not look at it.
	RefreshRequest
	// Cachable objects may be stored.
	Cachable
	// Dispatched: the request has gone out.
	Dispatched
	// PrivateKey objects are found by nobody.
	PrivateKey
	// HeadAwaited: the head has not come.
	HeadAwaited
	// Negative objects are failures kept for negative_ttl.
	Negative
	// Validated objects came from an origin, or were found as their file says.
	Validated
	// BadLength: the body was not as long as announced.
	BadLength
	// EndedEarly: what came is not whole.
	EndedEarly
	// ReadDeferred: the writer waits for its readers.
	ReadDeferred
	// EarlyPublic objects are found before their head has come (collapsed_forwarding).
	EarlyPublic
)

// Metadata is what the index keeps of an object.
type Metadata struct {
	// Timestamp is the time of the reply as its origin sees it (Date, corrected by
	// Age), LastRef the last use, Expires and LastMod what the head says.
	Timestamp, LastRef, Expires, LastMod Time
	// Refs is how often it was used.
	Refs  uint16
	Flags Flags
}
