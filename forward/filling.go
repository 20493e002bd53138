package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// filling is a fetch whose reply may be stored. It views nothing of the transaction
// that began it: that one's goroutine works on it while it has the permit of the
// entry, and afterwards one of its own (Fill).
type filling struct {
	*fetch.Owned
	srv   *Server
	p     *policy
	entry *store.Entry
	rule  *freshness.Rule
	asked freshness.Request
	key   store.Key
	// from is there when the head is; it is never changed then.
	from origins

	// client is the transaction in whose goroutine the head is awaited.
	client *transaction
	ctx    context.Context
	cancel context.CancelFunc
	// headed: the head is there, and an end of the client is no end of the fetch.
	headed atomic.Bool
	// wanted: others wait for it.
	wanted  atomic.Bool
	pin     fetch.Pin
	refresh *refresh // the stored object the origin is asked about, nil for none
	began   freshness.Times

	mu    sync.Mutex // guards what others do to the fetch against its end
	ended bool
}

// newFilling makes the fetch for a request: first are fields put in front of the
// client's, without those left out.
func (x *transaction) newFilling(first *http1.Outgoing, leftOut func(http1.Name) bool) (*filling, *failure.Failure) {
	f := &filling{Owned: fetch.Own(), srv: x.cl.srv, p: x.p, rule: x.cached.rule, asked: x.cached.asked, key: x.cached.key, client: x}
	f.p.users.Add(1)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	for i := range x.req.Len() {
		if !leftOut(x.req.ID(i)) {
			first.Copy(&x.req.Fields, i)
		}
	}
	x.describeRequest(&x.asks)
	why := f.CopyWith(&x.asks, first)
	r := f.Asked()
	r.Waiting = f
	if !x.port.NoConnectionAuth && !x.p.cfg.PipelinePrefetch {
		r.Pin = &f.pin // challenges are passed on; what answers them is not fetched here
	}
	f.began.Requested = x.now.Unix()
	f.Start(f.ctx, &f.srv.fetching, &f.p.fetch)
	f.srv.fillings.add(f)
	if why != nil {
		f.end()
		return nil, why
	}
	return f, nil
}

// adopt makes the client's own fetch, whose head is there, one that may outlive it.
func (x *transaction) adopt() {
	f := &filling{Owned: fetch.Own(), srv: x.cl.srv, p: x.p, rule: x.cached.rule, asked: x.cached.asked, key: x.cached.key}
	f.p.users.Add(1)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.began.Requested = x.now.Unix()
	code, host := x.fetch.Hierarchy()
	f.from = origins{code, strings.Clone(host)}
	x.cached.from = f.from
	f.headed.Store(true)
	x.cl.release(&x.fetch)
	f.Adopt(f.ctx, &x.fetch)
	x.cached.fill = f
	x.cl.hold(f)
	f.srv.fillings.add(f)
}

// open begins the entry, whose first reader is the client's, nil for none.
func (f *filling) open(r *store.Reader, collapsed bool) {
	asked := f.Asked()
	o := store.Opening{Key: f.key, Method: asked.Method, URL: bytes.Clone(asked.KeptAs()), Collapsed: collapsed}
	f.entry = f.srv.store.Begin(o, f, r)
}

// awaitHead gets the head of the reply.
func (f *filling) awaitHead() *failure.Failure {
	why := f.Choose()
	if why == nil {
		why = f.Head()
	}
	code, host := f.Hierarchy()
	f.from = origins{code, strings.Clone(host)}
	f.client = nil
	f.headed.Store(true)
	return why
}

// Connected implements fetch.Waiting.
func (f *filling) Connected() {
	if f.client != nil {
		f.client.letNextBegin()
	}
}

// PassInterim implements fetch.Waiting.
func (f *filling) PassInterim(rep *http1.Reply) bool {
	if f.client == nil {
		return true
	}
	return f.client.reply.Interim(rep, rep.Has(http1.WWWAuthenticate) && f.BlocksConnectionAuth())
}

// SayContinue implements fetch.Waiting; there is no body that could be held back.
func (f *filling) SayContinue() bool { return true }

// BodyCut implements fetch.Waiting.
func (f *filling) BodyCut() {}

// Recover implements fetch.Waiting: a programming error ends the fetch alone.
func (f *filling) Recover() {
	if e := recover(); e != nil {
		f.srv.panics.Add(1)
		f.srv.parts.Log.Error(fmt.Sprintf("BUG: panic while fetching: %v\n%s", e, debug.Stack()))
		f.Stop()
		f.entry.Abort(errPanic)
	}
}

var errPanic = errors.New("a programming error ended the fetch")

// Fill implements store.Filler.
func (f *filling) Fill() {
	defer f.end()
	defer f.Recover()
	if !f.headed.Load() {
		if why := f.awaitHead(); why != nil {
			f.entry.Abort(why)
			return
		}
		if f.refresh != nil && f.refreshed() || !f.publish() {
			return
		}
	}
	for {
		if err := f.entry.Pace(f.ctx); err != nil {
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
func (f *filling) finished(err error) bool {
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
func (f *filling) Wake() {
	f.wanted.Store(true)
	if f.headed.Load() {
		f.interrupt()
	}
}

func (f *filling) interrupt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.Interrupt()
	}
}

// Stop implements store.Filler.
func (f *filling) Stop() { f.cancel() }

// Abort is for a client that hung up: it ends a fetch nobody else waits for, and
// makes the goroutine that reads the body look.
func (f *filling) Abort() {
	switch {
	case f.headed.Load():
		f.interrupt()
	case !f.wanted.Load() && f.p.cfg.QuickAbortMin >= 0:
		f.Stop()
	}
}

// leave is the end of the transaction's part in the fetch.
func (f *filling) leave(x *transaction) {
	x.cl.release(f)
	goesOn := false
	if f.entry != nil {
		f.entry.Put()
		goesOn = x.cached.filled.Close()
		if goesOn || f.entry.Owned() {
			return
		}
	}
	f.end()
}

// end gives back what the fetch holds. It is called once, by who works on it last.
func (f *filling) end() {
	f.mu.Lock()
	over := f.ended
	f.ended = true
	f.mu.Unlock()
	if over {
		return
	}
	f.srv.fillings.remove(f)
	f.CountVerified()
	if f.refresh != nil {
		f.refresh.end()
	}
	f.Close()
	f.cancel()
	f.p.release()
}

// fillings are the fetches under way that may outlive their clients.
type fillings struct {
	mu  sync.Mutex
	all map[*filling]struct{}
}

func (l *fillings) add(f *filling) {
	l.mu.Lock()
	if l.all == nil {
		l.all = map[*filling]struct{}{}
	}
	l.all[f] = struct{}{}
	l.mu.Unlock()
}

func (l *fillings) remove(f *filling) {
	l.mu.Lock()
	delete(l.all, f)
	l.mu.Unlock()
}

// stop ends all that are under way.
func (l *fillings) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.all {
		f.Stop()
	}
}
