package forward

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/ident"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"go.uber.org/zap"
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

// nobody stands where authentication will be: credentials are asked for and
// never right. A configuration that lets only known users in lets nobody in,
// which is safer than everybody.
type nobody struct{}

// Authenticate implements acl.Authenticator.
func (nobody) Authenticate(_ context.Context, f *acl.Facts) (*acl.Told, acl.AuthState) {
	if f.Transparent {
		return nil, acl.NoAuth
	}
	return nil, acl.AuthNeeded
}

// TooManyAddresses implements acl.Authenticator.
func (nobody) TooManyAddresses(string, *acl.Facts, int, bool) bool { return false }

// noAnswer stands where external ACL helpers will be: what they would say is
// missing, which never lets anybody in.
type noAnswer struct{}

// Match implements acl.ExternalLookup.
func (noAnswer) Match(context.Context, *conf.ExternalUse, *acl.Facts, *acl.Told) (acl.Ternary, *acl.Told) {
	return acl.Missing, nil
}

// nothingStored stands where the cache will be: neighbours are told that it is
// empty, which is true.
type nothingStored struct{}

// Find implements peer.Cache.
func (nothingStored) Find([]byte, time.Duration) (htcp.Object, bool) { return htcp.Object{}, false }

// Remove implements peer.Cache.
func (nothingStored) Remove([]byte) bool { return false }

// warn names the ACLs whose question nothing answers yet, with what that means.
func (p *policy) warn(log *zap.Logger) {
	for _, name := range p.lists.Idle() {
		log.Warn(fmt.Sprintf("WARNING: acl %s: this release cannot find out what it asks for: its allow lines never match, its deny lines always", name))
	}
	for _, a := range p.cfg.ACLs {
		switch a.Type {
		case conf.ACLProxyAuth, conf.ACLProxyAuthRegex, conf.ACLMaxUserIP:
			log.Warn(fmt.Sprintf("WARNING: acl %s (%s): this release cannot authenticate users: clients are asked for credentials and none are accepted", a.Name, a.Type))
		case conf.ACLExternal:
			log.Warn(fmt.Sprintf("WARNING: acl %s (external): this release runs no helpers: its allow lines never match, its deny lines always", a.Name))
		}
	}
}
