package wire

import "net/netip"

// RouterID is a router's identity with its last receive id (5.7.1).
type RouterID struct {
	ID        netip.Addr
	ReceiveID uint32 // never 0 from a router; 0 from a cache that has not heard it
}

// RouterIdentity is the router identity component of an I_SEE_YOU (5.6.3).
type RouterIdentity struct {
	RouterID
	SentTo       netip.Addr   // the address the cache sent its HERE_I_AM to
	ReceivedFrom []netip.Addr // the caches this answer is meant for
}

func (r *reader) routerID() RouterID { return RouterID{r.addr(), r.u32()} }

func (w *writer) routerID(id RouterID) {
	w.addr(id.ID)
	w.u32(id.ReceiveID)
}

func (r *reader) routerIdentity() *RouterIdentity {
	i := &RouterIdentity{RouterID: r.routerID(), SentTo: r.addr()}
	i.ReceivedFrom = r.addrs("received-from addresses")
	return i
}

func (w *writer) routerIdentity(i *RouterIdentity) {
	w.component(RouterIdentityInfo, func() {
		w.routerID(i.RouterID)
		w.addr(i.SentTo)
		w.addrs(i.ReceivedFrom)
	})
}

// RouterQuery is the query component of a REMOVAL_QUERY (5.6.8).
type RouterQuery struct {
	RouterID
	SentTo netip.Addr // where the cache sent its last HERE_I_AM
	Target netip.Addr // the cache that is asked
}

func (r *reader) routerQuery() *RouterQuery {
	return &RouterQuery{RouterID: r.routerID(), SentTo: r.addr(), Target: r.addr()}
}

func (w *writer) routerQuery(q *RouterQuery) {
	w.component(QueryInfo, func() {
		w.routerID(q.RouterID)
		w.addr(q.SentTo)
		w.addr(q.Target)
	})
}
