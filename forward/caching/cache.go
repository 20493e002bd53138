package caching

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Cache is the store, and the fetches under way that may put something there. Fill in
// the exported fields and call Open.
type Cache struct {
	// Fetching is what all fetches share.
	Fetching *fetch.Env
	// Logs gives the logs of the present configuration, nil when nothing is served yet.
	Logs func() *accesslog.Logs
	// Panics counts programming errors that ended a fetch.
	Panics *atomic.Uint64
	// Refreshed hears of each refresh in the background when its outcome is known.
	Refreshed func(*Refreshed)
	// Disks: the directories of cache_dir are used. CheckDisks compares the length of
	// each file with swap.state at the start (squid -S).
	Disks, CheckDisks bool

	// Store is there after Open.
	Store *store.Store

	refreshing sync.Map // keys of stored objects the origin is asked about
	varying    keyLocks // guards lists of variants against changes at the same time

	// heads: there may be replies to HEAD in the store.
	heads atomic.Bool

	joins joins // parts of bodies that are not whole yet

	mu      sync.Mutex // guards filling
	filling map[stopper]struct{}
}

// Policy is one configuration as the cache sees it. Hold and Release say how long
// somebody needs it.
type Policy struct {
	*fetch.Policy
	// Product is what Server says in replies made here.
	Product string
	// Known is what is remembered of stored heads, nil for nothing.
	Known *Known
	Holder
}

// Holder keeps what belongs to a configuration open.
type Holder interface {
	Hold()
	Release()
}

// ErrUnverified ends a start in 2.6's words when folders of a cache_dir are missing.
//
//lint:ignore ST1005 the words, and the stop at their end, are what scripts look for
var ErrUnverified = errors.New("\tFailed to verify one of the swap directories, Check cache.log\n" +
	"\tfor details.  Run 'squid -z' to create swap directories\n\tif needed, or if running Squid for the first time.")

// Open makes the store of the first configuration.
func (c *Cache) Open(cfg *conf.Config) (err error) {
	c.filling = map[stopper]struct{}{}
	c.heads.Store(c.Disks)
	s := c.config(cfg)
	for _, line := range startLines(cfg, &s) {
		c.Fetching.Log.Info(line)
	}
	c.Store, err = store.Open(s)
	if errors.Is(err, ufs.ErrFolders) {
		c.Fetching.Log.Error("{error}", report.Error(err))
		return ErrUnverified
	}
	return err
}

// Reconfigure makes the store follow another configuration. The error names directories
// that cannot be used; all else is in force.
func (c *Cache) Reconfigure(cfg *conf.Config) error { return c.Store.Reconfigure(c.config(cfg)) }

// Close ends the fetches under way, then the store.
func (c *Cache) Close() {
	c.mu.Lock()
	for f := range c.filling {
		f.Stop()
	}
	c.mu.Unlock()
	if err := c.Store.Close(); err != nil {
		c.Fetching.Log.Error("WARNING: {error}", report.Error(err))
	}
}

// Stats is the state of the store and of what is not whole yet.
func (c *Cache) Stats() store.Stats {
	st := c.Store.Stats()
	st.Joining, st.JoiningBytes = c.joins.count()
	return st
}

// stopper brings something into the store.
type stopper interface{ Stop() }

func (c *Cache) add(f stopper) {
	c.mu.Lock()
	c.filling[f] = struct{}{}
	c.mu.Unlock()
}

func (c *Cache) remove(f stopper) {
	c.mu.Lock()
	delete(c.filling, f)
	c.mu.Unlock()
}
