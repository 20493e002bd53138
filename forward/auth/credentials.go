package auth

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Credentials are those of one request, as access lists see them (acl.Login). They are
// looked at once a request, and what became of them stays for the challenge, the reply
// and the log. The zero value is that of a request nobody asks for credentials.
type Credentials struct {
	Login
	// Source is what they are looked at with.
	Source
}

// Source is where the credentials of a request come from.
type Source struct {
	Authenticator *Authenticator
	Fields        *http1.Fields
	Method        string
	Facts         *acl.Facts
	Client        netip.Addr // the peer of the connection, whoever stands behind it
	Conn          *Conn
	// ShortcutTTL and Shortcuts are authenticate_ip_shortcircuit_ttl and _access.
	ShortcutTTL time.Duration
	Shortcuts   *acl.List
}

// Authenticate implements acl.Login. An intercepted client does not know of a proxy that
// could ask it (fact ports/transparent-auth-ignored).
func (c *Credentials) Authenticate(ctx context.Context) (*acl.Told, acl.AuthState) {
	if c.Facts.Transparent {
		return nil, acl.NoAuth
	}
	if c.State == Unchecked {
		c.look(ctx)
	}
	return c.verdict()
}

// Known implements acl.Login.
func (c *Credentials) Known(ctx context.Context) (*acl.Told, acl.AuthState) {
	if c.Facts.Transparent {
		return nil, acl.NoAuth
	}
	if c.State == Unchecked {
		field := c.field()
		if field != nil && !c.Authenticator.Knows(field, c.Conn) {
			return nil, acl.NoAuth
		}
		c.look(ctx)
	}
	return c.verdict()
}

func (c *Credentials) verdict() (*acl.Told, acl.AuthState) {
	if c.State != Accepted {
		return nil, acl.AuthNeeded
	}
	if c.told == nil {
		c.told = &acl.Told{AuthUser: c.User}
	}
	return c.told, acl.Authenticated
}

// TooManyAddresses implements acl.Login.
func (c *Credentials) TooManyAddresses(user string, most int, strict bool) bool {
	return c.Authenticator.TooManyAddresses(user, c.Client, most, strict)
}

// look looks at them: an accelerator stands for the origin.
func (c *Credentials) look(ctx context.Context) {
	field, a := c.field(), c.Authenticator
	a.Check(ctx, &c.Login, Request{Field: field, Method: c.Method, Conn: c.Conn})
	switch {
	case c.ShortcutTTL <= 0 || !c.Shortcuts.Check(ctx, c.Facts).Allowed():
	case c.State == Accepted:
		a.Remember(c.Client, c.User)
	case field == nil:
		a.Recall(&c.Login, c.Client, c.ShortcutTTL)
	}
}

// field is the value of the field that carries them, nil for none.
func (c *Credentials) field() []byte {
	if c.Facts.Accelerated {
		return c.Fields.Get(http1.Authorization)
	}
	return c.Fields.Get(http1.ProxyAuthorization)
}

// Ask adds the fields that ask the client for credentials. It reports whether a handshake
// goes on, for which the connection must stay: with a client that does not want that
// (persistent) there is none, and it is asked for nothing.
func (c *Credentials) Ask(out *http1.Outgoing, persistent bool) (goesOn bool) {
	if c.Authenticator == nil || c.State == Continues && !persistent {
		return false
	}
	id := http1.ProxyAuthenticate
	if c.Facts.Accelerated {
		id = http1.WWWAuthenticate
	}
	for _, value := range c.Authenticator.Challenges(&c.Login) {
		out.AddString(id, value)
	}
	return c.State == Continues
}

// EndsConnection reports whether the connection is to end with that reply.
func (c *Credentials) EndsConnection() bool {
	return c.Authenticator != nil && c.Authenticator.EndsConnection(&c.Login)
}

// Inform adds what a scheme has to say to a client it has accepted.
func (c *Credentials) Inform(out *http1.Outgoing) {
	if c.State != Accepted {
		return
	}
	value, authenticate := c.Authenticator.Info(&c.Login)
	if value == "" {
		return
	}
	id := http1.ProxyAuthenticationInfo
	switch {
	case authenticate && c.Facts.Accelerated:
		id = http1.WWWAuthenticate
	case authenticate:
		id = http1.ProxyAuthenticate
	case c.Facts.Accelerated:
		id = http1.AuthenticationInfo
	}
	out.AddString(id, value)
}

// Name is the user as logs show him: who was let in, or who could not prove it, else whom
// an external ACL helper named.
func (c *Credentials) Name(told *acl.Told) string {
	if c.User == "" || told != nil && told.AuthUser != "" {
		return told.Name()
	}
	return c.User
}
