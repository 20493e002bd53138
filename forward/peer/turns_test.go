package peer

import (
	"sync"
	"testing"
)

// Whatever the order in which configurations, the start and the end meet, background
// work runs at most once, only for the configuration in use, and not after the end.
func TestStartMeetsUse(t *testing.T) {
	for range 50 {
		f := listening(t, "digest_rebuild_period 1 hour\ncache_peer 127.0.0.1 parent 1 0 no-digest no-netdb-exchange\n")
		var sets []*Set
		var all sync.WaitGroup
		all.Go(f.Start)
		for range 4 {
			l := f.local()
			l.Peers = New(f.rig.cfg, f.rig.lists, &f.rig.env)
			sets = append(sets, l.Peers)
			all.Go(func() { f.Use(l) })
		}
		all.Go(f.Start)
		all.Wait()
		for _, s := range append(sets, f.rig.Set) {
			s.background.mu.Lock()
			runs := s.background.ctx != nil && s.background.ctx.Err() == nil
			s.background.mu.Unlock()
			if used := s == f.Neighbours.local.Load().Peers; runs != used {
				t.Fatalf("in use: %v, running: %v", used, runs)
			}
		}
		all.Go(f.Close)
		all.Go(f.Start)
		l := f.local()
		l.Peers = New(f.rig.cfg, f.rig.lists, &f.rig.env)
		all.Go(func() { f.Use(l) })
		all.Wait()
		if b := &l.Peers.background; b.ctx != nil && b.ctx.Err() == nil {
			t.Fatal("running after the end")
		}
	}
}

// A Set begins once, and not after it was stopped.
func TestSetStartsOnce(t *testing.T) {
	s := load(t, "").Set
	if !s.start(nil) {
		t.Fatal("not started")
	}
	first := s.background.ctx
	if s.start(nil) || s.background.ctx != first {
		t.Error("started twice")
	}
	s.stop()
	if first.Err() == nil || s.start(nil) {
		t.Error("started after it was stopped")
	}
	s = load(t, "").Set
	if s.stop(); s.start(nil) {
		t.Error("started after it was stopped before")
	}
}
