package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The two services, as the router's events name them.
const (
	requestService = "dynamic/80"
	replyService   = "dynamic/90"
)

// evidence is everything known about one fetch.
type evidence struct {
	fetch     fetch
	page      page
	origin    testimony
	accessLog string // the line, "" if there is none
	cache     *cache // that logged it
	request   event  // the router's redirection of the subscriber's first packet
	reply     event  // and of the origin's
	groups    []group
	failures  []string // why the fetch does not pass
}

// settleTime is how long the logs may take to tell of a fetch that is over.
const settleTime = 20 * time.Second

// examine makes a fetch and gathers what the ends and the logs say about it.
func (s *stage) examine(ctx context.Context, f fetch) *evidence {
	e := &evidence{fetch: f}
	events := s.router.log.length()
	var places []int64
	for _, c := range s.caches {
		places = append(places, c.accessLogLength())
	}
	var err error
	if e.page, err = s.network.get(ctx, f); err != nil {
		e.fail("%v", err)
	}
	if err := e.origin.read(e.page.body); err != nil && e.page.body != "" && !f.denied {
		e.fail("%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.settle)
	defer cancel()
	if f.routed() {
		e.findLogLine(ctx, s.caches, places)
		e.conclude()
		return e
	}
	e.request, _ = s.router.log.await(ctx, events, func(r event) bool {
		return r.Name == "redirected" && r.Service == requestService &&
			r.Source.Addr() == f.who.address && (f.denied || r.Source.Port() == e.page.Port) && r.Destination == f.to()
	})
	if !f.denied && !f.stored {
		e.reply, _ = s.router.log.await(ctx, events, func(r event) bool {
			return r.Name == "redirected" && r.Service == replyService &&
				r.Source == f.to() && r.Destination == e.origin.Saw
		})
	}
	e.findLogLine(ctx, s.caches, places)
	if e.groups, err = s.router.groups(); err != nil {
		e.fail("%v", err)
	}
	e.conclude()
	return e
}

// findLogLine waits for the access.log line of the fetch at any of the caches.
func (e *evidence) findLogLine(ctx context.Context, caches []*cache, places []int64) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		for i, c := range caches {
			for line := range strings.Lines(c.accessLog(places[i])) {
				if strings.HasSuffix(line, "\n") && strings.Contains(line, " "+e.fetch.logged()+" ") {
					e.accessLog, e.cache = strings.TrimSpace(line), c
					return
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (e *evidence) fail(format string, args ...any) {
	e.failures = append(e.failures, fmt.Sprintf(format, args...))
}

// conclude holds the evidence together. Each condition alone could be met by a network
// that does something else.
func (e *evidence) conclude() {
	if len(e.failures) > 0 {
		e.concludeRedirection()
		return
	}
	f, p := e.fetch, e.page
	if f.denied {
		e.judgeDenial()
		return
	}
	if p.Code != 200 {
		e.fail("the answer is %d, not 200", p.Code)
	}
	if f.stored {
		e.judgeStored()
		return
	}
	if e.origin.Saw.Addr() != f.who.address {
		e.fail("the origin saw %v, not the subscriber %v", e.origin.Saw.Addr(), f.who.address)
	}
	if p.Remote != f.at || e.origin.At.Addr() != f.at {
		e.fail("the subscriber wanted %v, is connected to %v, and %v answered", f.at, p.Remote, e.origin.At.Addr())
	}
	if p.Octets < f.octets {
		e.fail("%d octets came, at least %d were asked for", p.Octets, f.octets)
	}
	e.concludeRedirection()
	if err := e.judgeLogLine(); err != nil {
		e.fail("%v", err)
	}
}

func (e *evidence) concludeRedirection() {
	if e.fetch.routed() {
		return
	}
	if !e.request.Cache.IsValid() {
		e.fail("the router did not redirect the request (service 80)")
	}
	if !e.reply.Cache.IsValid() {
		e.fail("the router did not redirect the origin's answer (service 90)")
	}
	if e.request.Cache != e.reply.Cache {
		e.fail("request and answer went to different caches: %v and %v", e.request.Cache, e.reply.Cache)
	}
}

// judgeLogLine wants proof that the cache carried the fetch: its line in access.log
// and its name in the answer.
func (e *evidence) judgeLogLine() error {
	if e.accessLog == "" {
		return errors.New("access.log has no line of it: the connection went past the cache")
	}
	fields := strings.Fields(e.accessLog)
	method := "GET"
	if e.fetch.tls() {
		method = "CONNECT"
	}
	if len(fields) < 10 || fields[2] != e.fetch.who.address.String() || !strings.HasSuffix(fields[3], "/200") || fields[5] != method {
		return errors.New("the access.log line is not that of this fetch")
	}
	if e.cache.address != e.request.Cache && !e.fetch.routed() {
		return fmt.Errorf("the router chose cache %v, cache %v logged it", e.request.Cache, e.cache.address)
	}
	if e.fetch.tls() {
		return nil // nobody but the origin writes inside TLS
	}
	mark := visibleHostname(e.cache.address)
	for line := range strings.Lines(e.page.headers) {
		name, value, _ := strings.Cut(line, ":")
		if (strings.EqualFold(name, "X-Cache") || strings.EqualFold(name, "Via")) && strings.Contains(value, mark) {
			return nil
		}
	}
	return fmt.Errorf("the answer names no cache (neither X-Cache nor Via has %s)", mark)
}

// judgeDenial wants an alert in the place of the page, and the line that says why.
func (e *evidence) judgeDenial() {
	if !strings.Contains(e.page.alert, "alert access denied") {
		e.fail("no alert came: %q", e.page.alert)
	}
	fields := strings.Fields(e.accessLog)
	if len(fields) < 10 || fields[2] != e.fetch.who.address.String() || fields[3] != "TCP_DENIED/403" || fields[5] != "CONNECT" {
		e.fail("access.log does not tell of the denial: %q", e.accessLog)
	}
	if !e.request.Cache.IsValid() {
		e.fail("the router did not redirect the request (service 80)")
	}
}

// judgeStored wants the page that somebody else got, from memory: the origin was not
// asked again.
func (e *evidence) judgeStored() {
	f := e.fetch
	if e.origin.Saw.Addr() == f.who.address || !e.origin.Saw.IsValid() {
		e.fail("the page tells of %v, not of the subscriber who asked first", e.origin.Saw.Addr())
	}
	if e.page.Remote != f.at {
		e.fail("the subscriber wanted %v and is connected to %v", f.at, e.page.Remote)
	}
	if !e.request.Cache.IsValid() {
		e.fail("the router did not redirect the request (service 80)")
	}
	if !strings.Contains(e.accessLog, " TCP_MEM_HIT/200 ") {
		e.fail("access.log does not tell of a hit: %q", e.accessLog)
	}
}
