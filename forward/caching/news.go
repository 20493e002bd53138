package caching

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"go.uber.org/zap"
)

// report writes what the store has to tell into cache.log.
func (c *Cache) report(n store.Notice) {
	for _, line := range n.Lines {
		c.Fetching.Log.Info(line)
	}
	switch {
	case n.Err == nil:
	case n.TakenOut:
		c.Fetching.Log.Error("ERROR: cache_dir {cache_dir} is not used any more: {error}; serving goes on without it, and SIGHUP tries it again",
			zap.String("cache_dir", n.Path), report.Error(n.Err))
	default:
		c.Fetching.Log.Warn("WARNING: cache_dir {cache_dir}: {error}", zap.String("cache_dir", n.Path), report.Error(n.Err))
	}
}

// log puts down what happened to an object for cache_store_log.
func (c *Cache) log(e *store.Event) store.Line {
	logs := c.Logs()
	if logs == nil || !logs.WantsStore() {
		return nil
	}
	return logs.Store(&accesslog.StoreEntry{Now: time.Now(), Action: e.Action.String(), Dir: e.Dir, Number: int(e.Number), Key: e.Key,
		Head: e.Head, Announced: e.Announced, Length: e.Length, Method: e.Method, URL: e.URL})
}
