package store

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Action is what happened to an object, as store.log names it.
type Action uint8

// The actions 2.6 writes.
const (
	// SwappedOut: it is on disk.
	SwappedOut Action = iota
	// Released: it has left the cache, or was never in it.
	Released
	// SwapOutFailed: it could not be written, or there is no directory for it.
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
	// question marks then for it and for what follows here. It is a view, for as long as
	// the call lasts.
	Head []byte
	// Length is that of the body as it came.
	Length int64
	Method string
	URL    []byte
}

// logs reports whether anybody wants to know.
func (s *Store) logs() bool { return s.config.Load().Log != nil }

// Line is a line of store.log on its way.
type Line interface {
	// Wait returns when the line is written, or lost.
	Wait()
}

// log puts an event down. It is called with what the event is about locked, so that the
// lines about an object come in the order in which things happened to it; the caller
// waits for the line when nothing is locked any more.
func (s *Store) log(e *Event) Line {
	if hook := s.config.Load().Log; hook != nil {
		return hook(e)
	}
	return nil
}

// logReleased puts down that a record leaves the cache, with its shard locked. As in 2.6
// its key is a private one by then where another object has taken its name, or somebody
// still reads it.
func (s *Store) logReleased(rec *index.Record, replaced bool) Line {
	if !s.logs() {
		return nil
	}
	gone := &Event{Action: Released, Dir: -1, Key: rec.Key}
	if dir, number, ok := rec.OnDisk(); ok {
		gone.Dir, gone.Number = dir, ufs.Number(number)
	}
	if first := arena.Page(rec.Memory); first != 0 {
		o := s.objectAt(first)
		gone.Head, _ = s.headOf(o, nil)
		gone.URL, gone.Length = s.text(nil, first, 0), o.length
		gone.Method = methodText(s.methodOf(rec, first))
	}
	if replaced || rec.Pins > 0 {
		gone.Key = RandomKey()
	}
	return s.log(gone)
}

// methodOf is the method that has brought an object in memory: its key tells.
func (s *Store) methodOf(rec *index.Record, first arena.Page) http1.Method {
	parts := KeyParts{Method: http1.HEAD, URL: keyURL(s.text(nil, first, 0), s.text(nil, first, 1)), Vary: s.text(nil, first, 2)}
	if parts.Key() == rec.Key {
		return http1.HEAD
	}
	return http1.GET
}

// waitFor waits for a line, nil for none. Nothing is locked.
func waitFor(line Line) {
	if line != nil {
		line.Wait()
	}
}

// tell hands news on.
func (s *Store) tell(n Notice) {
	if report := s.config.Load().Report; report != nil {
		report(n)
	}
}
