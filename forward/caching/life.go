package caching

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// life is the context of a fetch. It costs nothing until somebody waits on it, which
// small replies are stored without.
type life struct {
	over atomic.Bool

	mu     sync.Mutex
	ctx    context.Context // made by the first who asks
	cancel context.CancelFunc
}

// end ends it.
func (l *life) end() {
	l.over.Store(true)
	l.mu.Lock()
	cancel := l.cancel
	l.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (l *life) made() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithCancel(context.Background())
		if l.over.Load() {
			l.cancel()
		}
	}
	return l.ctx
}

// Deadline implements context.Context.
func (l *life) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (l *life) Done() <-chan struct{} { return l.made().Done() }

// Err implements context.Context.
func (l *life) Err() error {
	if l.over.Load() {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context. Package context asks it for the context below,
// and then needs no goroutine to watch Done.
func (l *life) Value(key any) any { return l.made().Value(key) }
