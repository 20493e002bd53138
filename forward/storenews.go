package forward

import (
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// storeNews writes what the store has to tell into cache.log.
func (s *Server) storeNews(n store.Notice) {
	for _, line := range n.Lines {
		s.parts.Log.Info(line)
	}
	switch {
	case n.Err == nil:
	case n.TakenOut:
		s.parts.Log.Error(fmt.Sprintf("ERROR: cache_dir %s is not used any more: %v; serving goes on without it, and SIGHUP tries it again", n.Path, n.Err))
	default:
		s.parts.Log.Warn(fmt.Sprintf("WARNING: cache_dir %s: %v", n.Path, n.Err))
	}
}

// storeLine writes what happened to an object into cache_store_log.
func (s *Server) storeLine(e *store.Event) {
	p := s.current.Load()
	if p == nil || !p.logs.WantsStore() {
		return // nothing is served yet
	}
	p.logs.Store(&accesslog.StoreEntry{Now: time.Now(), Action: e.Action.String(), Dir: e.Dir, Number: int(e.Number), Key: e.Key,
		Head: e.Head, Announced: e.Announced, Length: e.Length, Method: e.Method, URL: e.URL})
}
