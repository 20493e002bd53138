package main

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// scene is one measurement of caches.
type scene struct {
	title string
	mode  cacheMode
	size  int // octets of an object
	// objects is how many there are; 0 for a new one with every request, which is
	// a miss that is stored. The same cache is then also asked for new ones that the
	// origin lets nobody store.
	objects int
	fresh   bool // a new connection for every request
	// full: so many objects are stored before the first round that those that follow
	// take the place of others.
	full bool
	to   string // whose cost the ratios are to
}

var scenes = map[string]scene{
	"hit":       {title: "hits in memory, kept connections", mode: inMemory, size: 1 << 10, objects: 64, to: "haproxy"},
	"hit32":     {title: "hits in memory, kept connections", mode: inMemory, size: 32 << 10, objects: 64, to: "nginx"},
	"freshhit":  {title: "hits in memory, a new connection for each", mode: inMemory, size: 1 << 10, objects: 64, fresh: true, to: "nginx"},
	"store":     {title: "misses that are stored, kept connections", mode: inMemory, size: 1 << 10, to: "nginx"},
	"storefull": {title: "misses that are stored in a memory that is full, kept connections", mode: inMemory, size: 1 << 10, full: true, to: "nginx"},
	"disk":      {title: "hits on disk, kept connections", mode: fromDisk, size: 64 << 10, objects: 1000, to: "trafficserver"},
}

// hits prints processor time per request of caches. Before the first round every
// object is asked for twice, so that it is there.
func (c *choices) hits(o *origin, list []contender, what string) {
	s := scenes[what]
	fmt.Printf("%d-octet object, %s, %d clients, access log on, %d rounds of %v each\n", s.size, s.title, c.concurrency, c.rounds, c.slice)
	var name atomic.Int64 // of what is asked for once
	var caches []*running
	c.inTurn(list, func(who contender) (*running, []*crowd, error) {
		r, err := who.start(o, s.mode)
		if err != nil {
			return nil, nil, err
		}
		caches = append(caches, r)
		prefix := fmt.Sprintf("%s/%d/%d/", keptObject, s.size, r.listen)
		requests := make([][]byte, s.objects)
		for i := range requests {
			requests[i] = requestFor(r, prefix+strconv.Itoa(i))
		}
		if err := fill(r, requests); err != nil {
			return r, nil, err
		}
		if s.objects == 0 {
			crowds, err := c.misses(r, &name, s.size)
			if s.full && err == nil {
				err = crowds[0].fillMemory()
			}
			return r, crowds, err
		}
		g := &crowd{r: r, name: r.name, fresh: s.fresh}
		at := 0
		g, err = g.gather(c.concurrency, func() func() []byte {
			at += s.objects / c.concurrency
			next := at
			return func() []byte {
				next++
				return requests[next%len(requests)]
			}
		})
		return r, []*crowd{g}, err
	}, s.to)
	for _, r := range caches {
		if n := o.counter(strconv.Itoa(r.listen)).Load(); s.objects > 0 && n > int64(s.objects+s.objects/10) {
			fmt.Printf("  %s: the origin was asked %d times for %d objects: these were not all hits\n", r.name, n, s.objects)
		}
	}
}

// misses are two crowds at one cache, which never ask for the same twice: what one asks
// for is stored, what the other does is not. All else is alike.
func (c *choices) misses(r *running, name *atomic.Int64, size int) (crowds []*crowd, err error) {
	for _, kind := range [...]struct{ name, path string }{{r.name, keptObject}, {r.name + unkept, unkeptObject}} {
		prefix := fmt.Sprintf("%s/%d/%d/once-", kind.path, size, r.listen)
		g, err := (&crowd{r: r, name: kind.name}).gather(c.concurrency, func() func() []byte {
			return func() []byte { return requestFor(r, prefix+strconv.FormatInt(name.Add(1), 10)) }
		})
		if err != nil {
			return nil, err
		}
		crowds = append(crowds, g)
	}
	return crowds, nil
}

// fillMemory has as many objects stored as there can be pages of 4 KB in memory; a cache
// that takes ten seconds for less must do with that.
func (g *crowd) fillMemory() error {
	asked := int64(0)
	for began := time.Now(); asked < memoryMegabytes<<20/4096 && time.Since(began) < 10*time.Second; {
		m := g.load(500 * time.Millisecond)
		if m.err != nil {
			return m.err
		}
		asked += m.requests
	}
	return nil
}

// unkept is behind the name of a cache in the row of misses that are not stored.
const unkept = ", not stored"

// fill has the cache fetch every object and answer it once more.
func fill(r *running, requests [][]byte) error {
	at := 0
	c, err := newClientAsking(r, func() []byte { at++; return requests[(at-1)%len(requests)] })
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for range 2 * len(requests) {
		if _, err := c.fetch(); err != nil {
			return err
		}
	}
	return nil
}
