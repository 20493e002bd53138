package caching

import (
	"math"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/http1"
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
	line := accesslog.StoreEntry{Now: time.Now(), Action: e.Action.String(), Dir: e.Dir, Number: int(e.Number), Key: e.Key, Method: e.Method, URL: e.URL}
	head := shownHeads.Get().(*http1.Reply)
	defer shownHeads.Put(head)
	head.Reset()
	if _, state := head.Parse(e.Head, true, &shownOptions); state == http1.Complete && len(e.Head) > 0 {
		line.Known = true
		line.Reply.Of(head, line.Now)
		line.Reply.Length = e.Length
	}
	return logs.Store(&line)
}

// shownHeads are for heads that a line is about.
var shownHeads = sync.Pool{New: func() any { return new(http1.Reply) }}

// shownOptions: what is in the cache was accepted once.
var shownOptions = http1.Options{Relaxed: true, MaxHead: math.MaxInt32}
