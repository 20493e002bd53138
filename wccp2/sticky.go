package wccp2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// stickyLimit is how many sets of caches are remembered.
const stickyLimit = 64

// stickyTables divides with minimal movement: a cache that leaves gives up its
// buckets and no others move; a cache that comes takes just its share. A table is
// computed once when caches come or go and serves every service that comes to
// have the same caches, so that paired services agree whatever each went through.
type stickyTables struct {
	tables map[string]stickyTable
	order  []string // oldest first
	made   int      // tables made so far
}

type stickyTable struct {
	owners []netip.Addr
	number int
}

// table gives the owner of each of n buckets. prior is what holds now, nil when
// nothing is known, and since the number of the table it came from. A table made
// later than that, by another service, is taken as it is.
func (s *stickyTables) table(members []member, n int, prior []netip.Addr, since int) (owners []netip.Addr, number int) {
	key := stickyKey(members, n)
	t, ok := s.tables[key]
	if ok && t.number > since {
		return t.owners, t.number
	}
	if s.tables == nil {
		s.tables = map[string]stickyTable{}
	}
	s.order = slices.DeleteFunc(s.order, func(k string) bool { return k == key })
	if len(s.order) == stickyLimit {
		delete(s.tables, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
	s.made++
	t = stickyTable{divideSticky(members, n, prior), s.made}
	s.tables[key] = t
	s.order = append(s.order, key)
	return t.owners, t.number
}

func stickyKey(members []member, n int) string {
	var b strings.Builder
	fmt.Fprint(&b, n)
	for _, m := range members {
		fmt.Fprintf(&b, " %s/%d", m.addr, m.weight)
	}
	return b.String()
}

// divideSticky lets every member keep what it has up to its quota and hands the
// rest to those below theirs, in order.
func divideSticky(members []member, n int, prior []netip.Addr) []netip.Addr {
	if len(prior) != n {
		prior = make([]netip.Addr, n)
		for i, at := range divide(members, n) {
			prior[i] = members[at].addr
		}
	}
	index := make(map[netip.Addr]int, len(members))
	for i, m := range members {
		index[m.addr] = i
	}
	has, orphans := make([]int, len(members)), 0
	for _, a := range prior {
		if i, ok := index[a]; ok {
			has[i]++
		} else {
			orphans++
		}
	}
	// A departure moves the buckets of the departed and no others. One who had
	// none leaves no orphans; then nobody new has to be waiting for a share.
	quota := quotas(members, n, has, false)
	keep := true
	for i := range members {
		keep = keep && (has[i] > 0 || quota[i] == 0)
	}
	if keep || orphans > 0 {
		quota = quotas(members, n, has, true)
	}
	got := make([]int, len(members))
	table := make([]netip.Addr, n)
	for b, a := range prior {
		if i, ok := index[a]; ok && got[i] < quota[i] {
			table[b] = a
			got[i]++
		}
	}
	at := 0
	for b := range table {
		if table[b].IsValid() {
			continue
		}
		for got[at] >= quota[at] {
			at = (at + 1) % len(members)
		}
		table[b] = members[at].addr
		got[at]++
		at = (at + 1) % len(members)
	}
	return table
}

// quotas shares n by weight, everyone getting the whole part of his share or one
// more. The ones over go first to those who have that many already, then to the
// largest remainders. With keep, whoever has his one more keeps it even if the
// rounding would not leave it to him.
func quotas(members []member, n int, has []int, keep bool) []int {
	var sum uint64
	for _, m := range members {
		sum += uint64(m.weight)
	}
	weight := func(i int) uint64 {
		if sum == 0 {
			return 1
		}
		return uint64(members[i].weight)
	}
	total := sum
	if sum == 0 {
		total = uint64(len(members))
	}
	quota := make([]int, len(members))
	rest := n
	byRemainder := make([]int, 0, len(members))
	for i := range members {
		quota[i] = int(uint64(n) * weight(i) / total)
		rest -= quota[i]
		if uint64(n)*weight(i)%total != 0 {
			byRemainder = append(byRemainder, i)
		}
	}
	slices.SortStableFunc(byRemainder, func(a, b int) int {
		if over := has[b] - quota[b]; (over > 0) != (has[a]-quota[a] > 0) {
			if over > 0 {
				return 1
			}
			return -1
		}
		ra, rb := uint64(n)*weight(a)%total, uint64(n)*weight(b)%total
		switch {
		case ra > rb:
			return -1
		case ra < rb:
			return 1
		}
		return 0
	})
	for _, i := range byRemainder {
		if rest > 0 || keep && has[i] > quota[i] {
			quota[i]++
			rest--
		}
	}
	return quota
}

// buckets is how many buckets there are: one for each value of a mask, or the hash's 256.
func buckets(values []wire.Mask) int {
	if values == nil {
		return 256
	}
	return len(values)
}

// inForce reads the table that routers have now out of their views, nil when
// none shows any. Buckets of caches that are gone are nobody's in it. values are
// the mask's; nil means the hash's buckets.
func inForce(routers []*router, mask wire.Mask, values []wire.Mask) []netip.Addr {
	number := make(map[wire.Mask]int, len(values))
	for i, v := range values {
		number[v] = i
	}
	for _, r := range routers {
		table := make([]netip.Addr, buckets(values))
		for i := range r.view.Caches {
			c := &r.view.Caches[i]
			if values != nil {
				takeValues(table, c.Sets, number)
				takeNumbers(table, c.AltSets, mask)
				continue
			}
			has, current := r.bucketsOf(c)
			for b := range table {
				if current && has.Has(uint8(b)) {
					table[b] = c.Addr
				}
			}
		}
		if r.shown != nil && values != nil {
			takeValues(table, r.shown.Sets, number)
			takeNumbers(table, r.shown.AltSets, mask)
		}
		if slices.ContainsFunc(table, netip.Addr.IsValid) {
			return table
		}
	}
	return nil
}

// bucketsOf gives the buckets of a cache, which its identity has or, in version 2.01, a
// map beside the view; false where they are of an earlier membership or not shown.
func (r *router) bucketsOf(c *wire.CacheIdentity) (has wire.Bitmap, current bool) {
	switch {
	case c.HasBuckets():
		return c.Buckets, !c.Historical
	case r.shown != nil && r.shown.Hash != nil:
		return r.shown.Hash.Of(c.Addr), true
	}
	return has, false
}

// takeValues enters the values that a router shows to be caches'.
func takeValues(table []netip.Addr, sets []wire.MaskValueSet, number map[wire.Mask]int) {
	for _, set := range sets {
		for _, v := range set.Values {
			if i, known := number[v.Mask]; known {
				table[i] = v.Cache
			}
		}
	}
}

// takeNumbers does it for values that are shown by their numbers under our mask.
func takeNumbers(table []netip.Addr, sets []wire.AltMaskValueSet, mask wire.Mask) {
	for _, set := range sets {
		for _, c := range set.Caches {
			for _, v := range c.Values {
				if set.Mask == mask && v < uint32(len(table)) {
					table[v] = c.Cache
				}
			}
		}
	}
}

// remember keeps the table a router shows, for the time when it has forgotten it.
func (e *Engine) remember(g *group, r *router) {
	if e.cfg.Division != DivideSticky || !r.joined() {
		return
	}
	mask, values := e.maskOf(g)
	if table := inForce([]*router{r}, mask, values); table != nil {
		g.fleet(r.local).last = table
	}
}
