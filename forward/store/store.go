package store

import (
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Store is the cache. Its methods may be called by any goroutine.
//
// Locks are taken in this order: a shard of the index, an entry, the arena.
type Store struct {
	config atomic.Pointer[Config]
	mem    *arena.Arena
	ix     *index.Index
	// memoryOrder is the order in which objects leave memory.
	memoryOrder atomic.Pointer[index.Order]
	// live are the entries that can be found under their key, each map guarded by
	// the shard of that number.
	live [index.Shards]map[Key]*Entry
	hits [index.Shards]hits
	kept [index.Shards]keptFiles

	disks    disks
	rebuilds rebuilds
	work     *workers
	stats    counters
	now      func() time.Time

	rewrites      atomic.Int32 // files that are written anew
	reconfiguring sync.Mutex
	closing       chan struct{}
	background    sync.WaitGroup
}

// Open makes a store. Its directories are rebuilt in the background.
func Open(c Config) (*Store, error) {
	c = c.withDefaults()
	s := &Store{mem: arena.New(c.Memory), now: time.Now, closing: make(chan struct{})}
	s.disks.wake = make(chan struct{}, 1)
	s.rebuilds.first = make(chan struct{})
	s.config.Store(&c)
	s.ix = index.New()
	s.memoryOrder.Store(s.ix.NewOrder(c.MemoryPolicy.order(), s.memoryLinks))
	for i := range s.live {
		s.live[i] = map[Key]*Entry{}
	}
	s.work = newWorkers(c.Workers, c.Queue)
	if err := s.takeDirs(&c, true); err != nil {
		s.work.close()
		return nil, err
	}
	s.background.Add(1)
	go s.maintain()
	return s, nil
}

// withDefaults fills in what a zero leaves open.
func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = 16
	}
	if c.Queue <= 0 {
		c.Queue = 64 * c.Workers
	}
	if c.Stall <= 0 {
		c.Stall = 10 * time.Second
	}
	if c.Backlog <= 0 {
		c.Backlog = 1 << 20
	}
	if c.MaxObject <= 0 || c.MaxObject > index.MaxSize {
		c.MaxObject = index.MaxSize
	}
	return c
}

// order is the policy as the index knows it.
func (p Policy) order() index.Policy {
	switch p {
	case HeapGDSF:
		return index.GDSF
	case HeapLFUDA:
		return index.LFUDA
	}
	return index.LRU
}

// Reconfigure puts another configuration in force. What the store holds stays, as
// far as there is room for it; directories that are gone are closed, new ones
// opened, and those that were taken out are tried again. Entries under way keep what
// they began with. The error names directories that cannot be used; all else is in force.
func (s *Store) Reconfigure(c Config) error {
	s.reconfiguring.Lock()
	defer s.reconfiguring.Unlock()
	c = c.withDefaults()
	err := s.takeDirs(&c, false)
	s.reviveDirs(&c)
	old := s.config.Swap(&c)
	s.mem.SetLimit(c.Memory)
	s.shrink(0)
	if old.MemoryPolicy.order() != c.MemoryPolicy.order() {
		s.reorderMemory(c.MemoryPolicy.order())
	}
	s.disks.nudge() // directories may have become smaller
	return err
}

// reorderMemory has objects leave memory in another order from now on.
func (s *Store) reorderMemory(p index.Policy) {
	order := s.ix.NewOrder(p, s.memoryLinks)
	for i := range index.Shards {
		s.ix.At(i).Lock()
	}
	old := s.memoryOrder.Load()
	now := s.now()
	for i := range index.Shards {
		sh := s.ix.At(i)
		sh.All(func(id index.ID, rec *index.Record) bool {
			if rec.Memory != 0 {
				old.Remove(sh, id)
				order.Add(sh, id, now)
			}
			return true
		})
		order.Sort(sh)
	}
	s.memoryOrder.Store(order)
	for i := range index.Shards {
		s.ix.At(i).Unlock()
	}
}

// Close ends the store: fetches are over, what they were writing is lost, and the
// journals of the directories are written anew.
func (s *Store) Close() error {
	close(s.closing)
	for _, d := range s.disks.all() {
		d.stop()
	}
	s.background.Wait()
	s.work.close()
	s.shutKept(nil)
	var problems []error
	note := func(d *disk, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", d.config.Load().Path, err))
		}
	}
	s.runErrands()
	s.writeCleanLogs(func(d *disk, records iter.Seq[*ufs.Record]) { note(d, d.dir.Rewrite(records, true)) })
	for _, d := range s.disks.all() {
		note(d, d.dir.Close())
	}
	return errors.Join(problems...)
}
