package forward

import (
	"context"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/ident"
)

// Ident implements acl.Conn: the client's host is asked once a connection, and
// what it said goes to the log as well.
func (cl *client) Ident(ctx context.Context) string {
	if user := cl.user.Load(); user != nil {
		return *user
	}
	user := cl.srv.identify(ctx, cl)
	if ctx.Err() == nil {
		cl.user.Store(&user)
	}
	return user
}

// identify asks the client's host, for at most ident_timeout.
func (s *Server) identify(ctx context.Context, cl *client) string {
	ctx, cancel := context.WithTimeout(ctx, s.current.Load().cfg.IdentTimeout)
	defer cancel()
	d := Dialing{To: netip.AddrPortFrom(cl.remote.Addr(), ident.Port)}
	if !cl.intercepted {
		d.From = netip.AddrPortFrom(cl.local.Addr(), 0) // the address the client knows us by
	}
	conn, err := s.parts.Network.Dial(ctx, d)
	if err != nil {
		return ""
	}
	defer conn.Close()
	user, err := ident.Ask(ctx, conn, cl.local, cl.remote)
	if err != nil {
		return ""
	}
	return user
}

// identifyEarly begins to ask about a connection that was just accepted when
// ident_lookup_access wants that. Nothing waits for the answer: the log shows
// it if it came in time.
func (s *Server) identifyEarly(cl *client) {
	p := s.acquire()
	defer p.release()
	facts := acl.Facts{Client: cl.remote.Addr(), Local: cl.local}
	if !p.lists.IdentLookupAccess.Check(context.Background(), &facts).Allowed() {
		return
	}
	go func() {
		user := s.identify(clientContext{cl}, cl)
		cl.user.CompareAndSwap(nil, &user)
	}()
}
