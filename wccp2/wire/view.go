package wire

import "net/netip"

// AssignmentKey names one assignment: who made it, and the how-manieth (5.7.3).
type AssignmentKey struct {
	Addr   netip.Addr
	Change uint32
}

// RouterView is what a router says of the group: the router view component (5.6.5).
type RouterView struct {
	MemberChange uint32 // rises with every change of membership
	Key          AssignmentKey
	Routers      []netip.Addr // as reported by caches
	Caches       []CacheIdentity
}

// CacheView is what a cache says of the group: the cache view component (5.6.6).
type CacheView struct {
	Change  uint32 // rises with every change of this view
	Routers []RouterID
	Caches  []netip.Addr
}

func (r *reader) key() AssignmentKey { return AssignmentKey{r.addr(), r.u32()} }

func (w *writer) key(k AssignmentKey) {
	w.addr(k.Addr)
	w.u32(k.Change)
}

func (r *reader) routerView() *RouterView {
	v := &RouterView{MemberChange: r.u32(), Key: r.key()}
	v.Routers = r.addrs("routers")
	n := r.count(cacheIdentityMin, "caches")
	for range n {
		if r.err != nil {
			break
		}
		v.Caches = append(v.Caches, r.cacheIdentity())
	}
	return v
}

func (w *writer) routerView(v *RouterView) {
	w.component(RouterViewInfo, func() {
		w.u32(v.MemberChange)
		w.key(v.Key)
		w.addrs(v.Routers)
		w.u32(uint32(len(v.Caches)))
		for i := range v.Caches {
			w.cacheIdentity(&v.Caches[i])
		}
	})
}

func (r *reader) cacheView() *CacheView {
	v := &CacheView{Change: r.u32()}
	if n := r.count(8, "routers"); n > 0 {
		v.Routers = make([]RouterID, n)
		for i := range v.Routers {
			v.Routers[i] = r.routerID()
		}
	}
	v.Caches = r.addrs("caches")
	return v
}

func (w *writer) cacheView(v *CacheView) {
	w.component(CacheViewInfo, func() {
		w.u32(v.Change)
		w.u32(uint32(len(v.Routers)))
		for _, id := range v.Routers {
			w.routerID(id)
		}
		w.addrs(v.Caches)
	})
}
