package caching

import (
	"math"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
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
	case n.Shrunk > 0:
		c.Fetching.Log.Warn("WARNING: Shrinking cache_dir {cache_dir} to {size} KB until the next reconfigure: {error}",
			zap.String("cache_dir", n.Path), zap.Int64("size", n.Shrunk>>10), report.Error(n.Err))
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

// Released puts down that a reply is over that was not to be stored. Through 2.6's store
// all replies pass, and its log shows each where it leaves, under a private key. Of the
// line Now, Reply, Method and URL are given.
func Released(logs *accesslog.Logs, line *accesslog.StoreEntry) accesslog.Pending {
	line.Action, line.Dir, line.Known, line.Key = store.Released.String(), -1, true, store.RandomKey()
	return logs.Store(line)
}

// ReleasedFetch is Released for what a fetch has brought. A fetch without a reply has
// nothing to show, and a CONNECT no part in the store.
func ReleasedFetch(logs *accesslog.Logs, f *fetch.Fetch, now time.Time) accesslog.Pending {
	if logs == nil || !logs.WantsStore() || !f.Answered() || f.Asked().Method == http1.CONNECT {
		return accesslog.Pending{}
	}
	asked := f.Asked()
	line := accesslog.StoreEntry{Now: now, Method: asked.MethodText, URL: asked.LoggedURL()}
	line.Reply.Of(&f.Reply, now)
	if line.Reply.Length = f.Came(); f.HeadLen() == 0 {
		line.Reply.Date = now.Unix() // that of the head it gets here
	}
	return Released(logs, &line)
}
