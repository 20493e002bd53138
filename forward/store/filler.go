package store

// Filler is the fetch that fills an entry, as the entry sees it.
type Filler interface {
	// Fill goes on with the fetch from where it is, in a goroutine the entry started
	// for it, with the permit in hand for good. It ends with Complete, Withdraw or
	// Abort.
	Fill()
	// Wake ends a read of the origin that is under way, by its deadline, so that the
	// reader calls Put; the fetch itself goes on. It is called with the permit up, by another
	// goroutine, must not wait for anything and may come too late.
	Wake()
	// Stop ends the fetch, which nobody wants any more; like Wake it waits for nothing.
	// Whoever has the permit then calls Abort.
	Stop()
}

// Arriving is what a Filler may be besides: one that knows how much of the body has
// come from the origin and was not appended yet. When the last reader leaves that
// much is not missing.
type Arriving interface{ Arrived() int64 }
