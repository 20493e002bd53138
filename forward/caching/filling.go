package caching

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"go.uber.org/zap"
)

// Filling is a fetch whose reply may be stored. It views nothing of the request that
// began it: that one's goroutine works on it while it has the permit of the entry, and
// afterwards one of its own (Fill).
type Filling struct {
	*fetch.Owned
	cache  *Cache
	policy *Policy
	entry  *store.Entry
	rule   *freshness.Rule
	asked  freshness.Request
	key    store.Key
	// superseded is what goes when the reply is not stored and shows it to be out of date.
	superseded store.Key
	// from is there when the head is; it is never changed then.
	from origin

	// client is who waits for the head in whose goroutine it is awaited.
	client fetch.Waiting
	ctx    life
	// headed: the head is there, and an end of the client is no end of the fetch.
	headed atomic.Bool
	// wanted: others wait for it.
	wanted    atomic.Bool
	pin       fetch.Pin
	refresh   *refresh // the stored object the origin is asked about, nil for none
	spares    bool     // a reply that is not stored leaves what is stored alone
	published bool     // the reply is the entry's
	keeping   keeping  // of a fetch that was a client's own: decided before it became this
	partial   int64    // the length of the whole, when a 206 brings all of it
	requested int64    // when the request was made, in seconds since 1970

	mu    sync.Mutex // guards what others do to the fetch against its end
	ended bool
}

// awaitHead gets the head of the reply.
func (f *Filling) awaitHead() *failure.Failure {
	why := f.Choose()
	if why == nil {
		why = f.Head()
	}
	code, host := f.Hierarchy()
	f.from = origin{code, strings.Clone(host), f.Undelayed()}
	f.client = nil
	f.headed.Store(true)
	return why
}

// Connected implements fetch.Waiting.
func (f *Filling) Connected() {
	if f.client != nil {
		f.client.Connected()
	}
}

// PassInterim implements fetch.Waiting.
func (f *Filling) PassInterim(rep *http1.Reply, blocksAuth bool) bool {
	return f.client == nil || f.client.PassInterim(rep, blocksAuth)
}

// SayContinue implements fetch.Waiting; there is no body that could be held back.
func (f *Filling) SayContinue() bool { return true }

// BodyCut implements fetch.Waiting.
func (f *Filling) BodyCut() {}

// Recover implements fetch.Waiting: a programming error ends the fetch alone.
func (f *Filling) Recover() {
	if e := recover(); e != nil {
		f.cache.panicked(e, f, f.entry)
	}
}

// panicked ends what brings an entry into the store after a programming error.
func (c *Cache) panicked(e any, f stopper, entry *store.Entry) {
	c.Panics.Add(1)
	c.Fetching.Log.Error("BUG: panic while fetching: {panic}\n{stack}",
		zap.String("panic", fmt.Sprint(e)), zap.ByteString("stack", debug.Stack()))
	f.Stop()
	entry.Abort(errPanic)
}

var errPanic = errors.New("a programming error ended the fetch")

// Fill implements store.Filler.
func (f *Filling) Fill() {
	defer f.end()
	defer f.Recover()
	if !f.headed.Load() {
		if why := f.awaitHead(); why != nil {
			if f.refresh != nil {
				f.tellRefreshed(freshness.TagAsyncMiss, false)
			}
			f.entry.Abort(why)
			return
		}
		if f.refresh != nil && f.refreshed() || !f.publish() {
			return
		}
	}
	for {
		if err := f.entry.Pace(&f.ctx); err != nil {
			f.entry.Abort(err)
			return
		}
		piece, err := f.Next(fetch.ReplyBuffer, true)
		if len(piece) > 0 {
			f.entry.Append(piece)
		}
		if err == sock.ErrInterrupted {
			continue
		}
		if f.finished(err) {
			return
		}
	}
}

// finished ends the entry at the end of the body, or of the connection; nil goes on.
func (f *Filling) finished(err error) bool {
	switch {
	case err == nil:
		return false
	case err == io.EOF:
		f.entry.Complete()
	default:
		f.entry.Abort(err)
	}
	return true
}

// Wake implements store.Filler.
func (f *Filling) Wake() {
	f.wanted.Store(true)
	if f.headed.Load() {
		f.interrupt()
	}
}

func (f *Filling) interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.Interrupt()
	}
}

// Stop implements store.Filler.
func (f *Filling) Stop() {
	f.ctx.end()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.Owned.Abort()
	}
}

// Abort is for a client that hung up: it ends a fetch nobody else waits for, and
// makes the goroutine that reads the body look.
func (f *Filling) Abort() {
	switch {
	case f.headed.Load():
		f.interrupt()
	case !f.wanted.Load() && f.policy.Config.QuickAbortMin >= 0:
		f.Stop()
	}
}

// leave is the end of the part of the request it began for, whose reader r is.
func (f *Filling) leave(r *store.Reader) {
	if f.entry != nil {
		f.entry.Put()
		if r.Close() || f.entry.Owned() {
			return
		}
	}
	f.end()
}

// end gives back what the fetch holds. It is called once, by who works on it last.
func (f *Filling) end() {
	f.mu.Lock()
	over := f.ended
	f.ended = true
	f.mu.Unlock()
	if over {
		return
	}
	f.cache.remove(f)
	f.CountVerified()
	if f.refresh != nil {
		f.refresh.end()
	}
	if !f.published {
		ReleasedFetch(f.cache.Logs(), &f.Fetch, time.Now()).Wait()
	}
	f.Close()
	f.ctx.end()
	f.policy.Release()
}
