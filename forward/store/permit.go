package store

// permit says who may append to an entry.
type permit uint8

const (
	// permitDown: the goroutine of the fetch's client has it and is busy otherwise.
	permitDown permit = iota
	// permitUp: that goroutine reads from the origin and appends.
	permitUp
	// permitOwn: the fetch's own goroutine has it, to the end.
	permitOwn
)

// Take takes the permit for the goroutine of the client the fetch began with. It
// is false when the fetch has a goroutine of its own: then the caller is a reader.
func (e *Entry) Take() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.permit == permitOwn || e.over() {
		return false
	}
	e.permit = permitUp
	return true
}

// Put puts the permit down. When others want it by now, the fetch gets a goroutine
// of its own, and Put is false.
func (e *Entry) Put() bool {
	e.mu.Lock()
	if e.permit != permitUp {
		kept := e.permit == permitDown
		e.mu.Unlock()
		return kept
	}
	e.permit = permitDown
	start := e.wanted && !e.over()
	if start {
		e.permit = permitOwn
	}
	e.mu.Unlock()
	if start {
		go e.filler.Fill()
	}
	return !start
}

// Own gives the fetch a goroutine of its own whoever has the permit now: it began
// without a client, or its client cannot wait.
func (e *Entry) Own() {
	e.mu.Lock()
	hand := e.want()
	e.mu.Unlock()
	hand.do(e)
}

// handOver is what is to be done about the permit once the entry is unlocked.
type handOver uint8

const (
	handNothing handOver = iota
	handStart            // the fetch gets its goroutine now
	handWake             // when the one that reads puts the permit down
	handStop             // the fetch ends
)

// want tells that the permit is wanted: somebody joined, or the client left.
func (e *Entry) want() handOver {
	switch {
	case e.over() || e.filler == nil:
	case e.permit == permitDown:
		e.permit = permitOwn
		return handStart
	case e.permit == permitUp && !e.wanted:
		e.wanted = true
		return handWake
	}
	return handNothing
}

// do acts without any lock.
func (h handOver) do(e *Entry) {
	switch h {
	case handStart:
		go e.filler.Fill()
	case handWake:
		e.filler.Wake()
	case handStop:
		e.filler.Stop()
	}
}
