package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"sync"
	"time"
)

// event is a line of the router's event log, as far as the demo reads it.
type event struct {
	Time        time.Time      `json:"time"`
	Name        string         `json:"event"`
	Service     string         `json:"service"`
	Cache       netip.Addr     `json:"cache"`
	Message     string         `json:"message"`
	Why         string         `json:"why"`
	Bucket      int            `json:"bucket"`
	By          string         `json:"by"` // gre or l2
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
	Weight      int            `json:"weight"`
	Hex         string         `json:"hex"`
	Buckets     []struct {
		Cache   netip.Addr `json:"cache"`
		Buckets int        `json:"buckets"`
	} `json:"buckets"`
}

// eventLog keeps what a router said and lets others wait for more.
type eventLog struct {
	mu      sync.Mutex
	all     []event
	changed chan struct{} // closed and replaced at each event
	ended   bool
}

func newEventLog() *eventLog { return &eventLog{changed: make(chan struct{})} }

// follow reads events until the router ends.
func (l *eventLog) follow(from io.Reader) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			l.add(func() { l.all = append(l.all, e) })
		}
	}
	l.add(func() { l.ended = true })
}

func (l *eventLog) add(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	close(l.changed)
	l.changed = make(chan struct{})
}

// length is where the log ends now: a place to search on from later.
func (l *eventLog) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// find looks for an event behind a place.
func (l *eventLog) find(from int, fits func(event) bool) (event, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.search(from, fits)
}

func (l *eventLog) search(from int, fits func(event) bool) (event, bool) {
	for _, e := range l.all[min(from, len(l.all)):] {
		if fits(e) {
			return e, true
		}
	}
	return event{}, false
}

// await waits for an event behind a place; false when the context or the router ends.
func (l *eventLog) await(ctx context.Context, from int, fits func(event) bool) (event, bool) {
	for {
		l.mu.Lock()
		e, found := l.search(from, fits)
		changed, ended := l.changed, l.ended
		l.mu.Unlock()
		if found || ended {
			return e, found
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return event{}, false
		}
	}
}
