package gre

import (
	"errors"
	"sync/atomic"
)

// Counts are totals of a Decapsulator since it was opened.
type Counts struct {
	Received  uint64 `json:"received"`  // GRE packets read from the raw socket
	Batches   uint64 `json:"batches"`   // reads that brought them
	Delivered uint64 `json:"delivered"` // packets written to the device
	Foreign   uint64 `json:"foreign"`   // GRE of another protocol or version, left alone
	Malformed uint64 `json:"malformed"` // cut short, wrong lengths or reserved bits
	Checksum  uint64 `json:"checksum"`  // wrong GRE checksum
	Stranger  uint64 `json:"stranger"`  // from an address that is no router of ours, or with another key
	Own       uint64 `json:"own"`       // would have looped: our address as outer or inner source
	Here      uint64 `json:"here"`      // inside was a packet for this host itself
	Other     uint64 `json:"other"`     // inside was a packet of no announced service
	Refused   uint64 `json:"refused"`   // not accepted by the device
	Lost      uint64 `json:"lost"`      // dropped by the kernel because the receive buffer was full
	Returned  uint64 `json:"returned"`  // packets given back to a router
	Unknown   uint64 `json:"unknown"`   // packets to give back of which no router is remembered
	Unsent    uint64 `json:"unsent"`    // packets to give back that the kernel would not send
}

type counters struct {
	received, batches, delivered, foreign, malformed, checksum, stranger, own, here, other, refused, returned, unknown, unsent atomic.Uint64
}

func (c *counters) failed(err error) {
	switch {
	case errors.Is(err, ErrProtocol), errors.Is(err, ErrVersion):
		c.foreign.Add(1)
	case errors.Is(err, ErrChecksum):
		c.checksum.Add(1)
	case errors.Is(err, errStranger):
		c.stranger.Add(1)
	case errors.Is(err, errOwn):
		c.own.Add(1)
	case errors.Is(err, errHere):
		c.here.Add(1)
	case errors.Is(err, errUnannounced):
		c.other.Add(1)
	default:
		c.malformed.Add(1)
	}
}

func (c *counters) read() Counts {
	return Counts{
		Received: c.received.Load(), Batches: c.batches.Load(), Delivered: c.delivered.Load(),
		Foreign: c.foreign.Load(), Malformed: c.malformed.Load(), Checksum: c.checksum.Load(),
		Stranger: c.stranger.Load(), Own: c.own.Load(), Here: c.here.Load(), Other: c.other.Load(), Refused: c.refused.Load(),
		Returned: c.returned.Load(), Unknown: c.unknown.Load(), Unsent: c.unsent.Load(),
	}
}
