package store

import "github.com/cuttle-proxy/cuttle/forward/store/ufs"

// Action is what happened to an object, as store.log names it.
type Action uint8

// The actions 2.6 writes.
const (
	// SwappedOut: it is on disk.
	SwappedOut Action = iota
	// Released: it has left the cache, or was never in it.
	Released
	// SwapOutFailed: it could not be written.
	SwapOutFailed
)

// String is the word in store.log.
func (a Action) String() string {
	return [...]string{"SWAPOUT", "RELEASE", "SO_FAIL"}[a]
}

// Event is a line of store.log.
type Event struct {
	Action Action
	// Dir and Number say where on disk; Dir is -1 for nowhere.
	Dir    int
	Number ufs.Number
	Key    Key
	// Head is the reply's, nil where the object is not in memory: store.log has
	// question marks then for it and for what follows here.
	Head []byte
	// Announced is the length the head announced, -1 for none; Length that of the
	// body as it came.
	Announced, Length int64
	Method            string
	URL               []byte
}

// logs reports whether anybody wants to know.
func (s *Store) logs() bool { return s.config.Load().Log != nil }

// log hands an event on, nil for none.
func (s *Store) log(e *Event) {
	if hook := s.config.Load().Log; hook != nil && e != nil {
		hook(e)
	}
}

// tell hands news on.
func (s *Store) tell(n Notice) {
	if report := s.config.Load().Report; report != nil {
		report(n)
	}
}
