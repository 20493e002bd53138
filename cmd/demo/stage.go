package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// stage is a network with a router and caches at work.
type stage struct {
	network *network
	router  *router
	caches  []*cache
	setup   string // what `squid -k setup` said
	settle  time.Duration
}

// programs are the binaries the demo is about.
type programs struct{ squid, routersim string }

// joinTime is how long router and caches may take to find each other: HERE_I_AM
// after 1 s and 11 s, the assignment 15 s after the router lists the cache, and room
// for a slow machine.
const joinTime = 60 * time.Second

// buildStage makes the network and starts everything on it. A stage that failed to
// start is returned with the error, so that it can be closed and asked why.
func buildStage(lab *netlab.Lab, title, directory, fragment string, caches int, p programs, routerArgs ...string) (*stage, error) {
	s := &stage{settle: settleTime}
	var err error
	if s.network, err = buildNetwork(lab, title, directory, caches); err != nil {
		return s, err
	}
	if s.router, err = s.network.startRouter(p.routersim, routerArgs...); err != nil {
		return s, err
	}
	for i := range caches {
		c, err := s.network.newCache(i, p.squid, fragment)
		if err != nil {
			return s, err
		}
		s.caches = append(s.caches, c)
		if s.setup, err = c.setUp(); err != nil {
			return s, err
		}
		if err := c.start(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// ready waits until every cache has buckets of both services.
func (s *stage) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, joinTime, fmt.Errorf("not within %v", joinTime))
	defer cancel()
	for _, service := range []string{requestService, replyService} {
		for _, c := range s.caches {
			if err := s.awaitBuckets(ctx, service, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *stage) awaitBuckets(ctx context.Context, service string, c *cache) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // a cache that ended will never get buckets
		select {
		case <-c.process.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	_, found := s.router.log.await(ctx, 0, func(e event) bool {
		return e.Name == "assigned" && e.Service == service && shareOf(e, c.address) > 0
	})
	if found {
		return nil
	}
	if err := c.ended(); err != nil {
		return err
	}
	if text, _ := os.ReadFile(s.router.errors); len(text) > 0 {
		return fmt.Errorf("the router says: %s", strings.TrimSpace(string(text)))
	}
	why := ""
	if refused, any := s.router.log.find(0, func(e event) bool { return e.Name == "refused" || e.Name == "unsupported" }); any {
		why = "; the router refused " + refused.Message + " of " + refused.Service + ": " + refused.Why
	} else if _, any := s.router.log.find(0, func(e event) bool { return e.Name == "here i am" && e.Service == service }); !any {
		why = "; the router never heard of it"
	}
	return fmt.Errorf("cache %v got no buckets of service %s: %w%s\n%s", c.address, service, context.Cause(ctx), why, c.lastWords())
}

func shareOf(assigned event, cache netip.Addr) int {
	for _, share := range assigned.Buckets {
		if share.Cache == cache {
			return share.Buckets
		}
	}
	return 0
}

// close ends the programs and takes the caches' network settings back.
func (s *stage) close() error {
	var all sync.WaitGroup
	errs := make([]error, len(s.caches))
	for i, c := range s.caches {
		if c.process == nil {
			continue
		}
		all.Go(func() {
			c.process.Stop()
			_, errs[i] = c.tearDown()
		})
	}
	all.Wait()
	if s.router != nil {
		s.router.process.Stop()
	}
	if s.network != nil {
		s.network.close()
	}
	return errors.Join(errs...)
}
