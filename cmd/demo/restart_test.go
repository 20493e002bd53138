package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func isRestart(e event) bool { return e.Name == "restarted" }

// behind is the place behind the first such event.
func (l *eventLog) behind(from int, fits func(event) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return from + slices.IndexFunc(l.all[from:], fits) + 1
}

func theRouterRestarts(t *testing.T, s *stage) {
	adsl, dialup := splitTraffic(t, s)
	from := s.router.log.length()
	if err := s.router.order(nil, "restart"); err != nil {
		t.Fatal(err)
	}
	// Only what comes behind the restart counts: an assignment may be said once more
	// just before it.
	awaitEvent(t, s, from, joinTime, "the restart", isRestart)
	from = s.router.log.behind(from, isRestart)
	for _, service := range []string{requestService, replyService} {
		for _, c := range s.caches {
			awaitEvent(t, s, from, joinTime, "buckets of "+service+" again", func(e event) bool {
				return e.Name == "assigned" && e.Service == service && shareOf(e, c.address) == 128
			})
		}
	}
	// Connections open at the restart may break, as with a real router; none of these
	// is open for longer than a moment, and fetches begun later may not.
	settled := time.Now()
	for _, subscriber := range []*traffic{adsl, dialup} {
		v := subscriber.visit()
		if v.err != nil || v.cache == "" {
			t.Errorf("%s after the restart: %q %v; the router's word:%s", subscriber.who.name, v.cache, v.err, s.router.log.told(from))
		}
		for _, v := range failures(subscriber.end()) {
			if v.at.After(settled) {
				t.Errorf("%s: %v", subscriber.who.name, v.err)
			}
		}
	}
}

// told lists the events that decide who serves whom.
func (l *eventLog) told(from int) string {
	var b strings.Builder
	l.find(from, func(e event) bool {
		switch e.Name {
		case "assigned", "cache joined", "cache left", "flushed":
			fmt.Fprintf(&b, "\n    %s %s %s %v %v", e.Time.Format("05.000"), e.Name, e.Service, e.Cache, e.Buckets)
		}
		return false
	})
	return b.String()
}
