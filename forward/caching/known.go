package caching

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Known remembers how heads of stored replies were read under one configuration, for
// what is asked for again and again: to read one costs a sixth of the instructions of a
// hit in memory. Nothing in it is trusted for being there: it counts for the very bytes
// and times it was made of.
type Known struct {
	keys  knownKeys
	heads [knownPlaces]atomic.Pointer[knownHead]
}

// Bounds of what is remembered: some 12 MB if every head and every URL is as long as it
// may be.
const (
	knownPlaces   = 2048
	longestKnown  = 1 << 10 // bytes of a head or URL
	mostOfAKnown  = 32      // fields of a head
	knownPatience = 8       // others that ask for the place of one before it goes
)

// knownHead is one head, never changed.
type knownHead struct {
	reply       http1.Reply // of text of its own
	metadata    store.Metadata
	accelerated bool
	described   freshness.Object

	// sent is its fields as they begin the head of a hit; nil as long as nobody was sent any.
	sent atomic.Pointer[http1.Lines]
	// passed is how often another one was in its place since it was of use.
	passed atomic.Uint32
}

// Sent is what KeepSent was given for the very head of what o is open on, nil for nothing.
func (o *Object) Sent() *http1.Lines {
	if o.known == nil {
		return nil
	}
	return o.known.sent.Load()
}

// KeepSent keeps the fields of a hit that come from the stored head, and from nothing
// else but the configuration.
func (o *Object) KeepSent(out *http1.Outgoing) {
	if o.known != nil {
		o.known.sent.Store(out.Lines())
	}
}

func (k *Known) place(key *store.Key) *atomic.Pointer[knownHead] {
	return &k.heads[binary.LittleEndian.Uint32(key[:])%knownPlaces]
}

// recall reads the head of what o is open on from memory, if it is the one that is known.
func (k *Known) recall(o *Object, text []byte) bool {
	if k == nil {
		return false
	}
	h := k.place(&o.key).Load()
	if h == nil || !bytes.Equal(h.reply.Head, text) || !sameTimes(h.metadata, o.Metadata()) || h.accelerated != o.accelerated {
		return false
	}
	if h.passed.Load() > 0 { // seldom: others read this
		h.passed.Store(0)
	}
	o.Reply.Recall(&h.reply, text)
	o.Described, o.known = h.described, h
	return true
}

// sameTimes reports whether a head is described alike by either.
func sameTimes(a, b store.Metadata) bool {
	return a.Timestamp == b.Timestamp && a.Expires == b.Expires && a.LastMod == b.LastMod && a.Flags == b.Flags
}

// remember keeps what has just been read of what o is open on.
func (k *Known) remember(o *Object) {
	rep := &o.Reply
	if k == nil || len(rep.Head) > longestKnown || rep.Len() > mostOfAKnown {
		return
	}
	place := k.place(&o.key)
	old := place.Load()
	if old != nil && old.passed.Add(1) < knownPatience && !bytes.Equal(old.reply.Head, rep.Head) {
		return
	}
	h := &knownHead{metadata: o.Metadata(), accelerated: o.accelerated, described: o.Described}
	h.reply.Recall(rep, bytes.Clone(rep.Head))
	place.CompareAndSwap(old, h)
}
