package acl

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// world is every source of facts at once.
type world struct {
	state   AuthState
	user    string
	ident   string
	outcome Ternary
	many    bool
	said    *Told
	asked   bool // its helper
}

func (w *world) Authenticate(context.Context) (*Told, AuthState) {
	return &Told{AuthUser: w.user}, w.state
}
func (w *world) Known(context.Context) (*Told, AuthState) {
	if !w.asked {
		return nil, NoAuth
	}
	return &Told{AuthUser: w.user}, w.state
}
func (w *world) TooManyAddresses(string, int, bool) bool { return w.many }
func (w *world) Ident(context.Context) string            { return w.ident }
func (w *world) KnownIdent() (string, bool)              { return w.ident, w.ident != "unasked" }
func (w *world) Match(context.Context, *conf.ExternalUse, *Facts, *Told) (Ternary, *Told) {
	return w.outcome, w.said
}
func (w *world) Remembered(context.Context, *conf.ExternalUse, *Facts, *Told) (Ternary, *Told) {
	if !w.asked {
		return Unknown, nil
	}
	return w.outcome, w.said
}
func (w *world) Established(netip.Addr) int { return 5 }
func (w *world) ASNumbers(a netip.Addr) []uint32 {
	if !a.Is4() {
		return nil
	}
	return []uint32{65000, 65001}
}
func (w *world) HardwareAddress(a netip.Addr) ([6]byte, bool) {
	return [6]byte{2, 0, 0, 0, 0, 1}, a.Is4()
}
func (w *world) Attribute(_ *Facts, name string, issuer bool) (string, bool) {
	return "bob", name == "CN" && !issuer
}

func TestSources(t *testing.T) {
	bob := conf.UserList{Names: []string{"bob", "Alice"}}
	withLogin := &conf.ExternalUse{Type: &conf.ExternalACL{Format: []conf.ExternalFormat{{Code: "SRC"}, {Code: "LOGIN"}}}}
	folded := conf.UserList{Names: []string{"bob", "alice"}, ICase: true}
	for _, c := range []struct {
		acl  conf.ACL
		w    world
		want Ternary
	}{
		{conf.ACL{Type: conf.ACLProxyAuth, Users: bob}, world{state: Authenticated, user: "bob"}, Yes},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: bob}, world{state: Authenticated, user: "alice"}, No},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: folded}, world{state: Authenticated, user: "ALICE"}, Yes},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: conf.UserList{Required: true}}, world{state: Authenticated, user: "x"}, Yes},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: bob}, world{state: AuthNeeded}, AskCredentials},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: bob}, world{state: AuthFailed}, No},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: bob}, world{state: NoAuth}, Unknown},
		{conf.ACL{Type: conf.ACLProxyAuthRegex, Regexes: regexes(false, "^b")}, world{state: Authenticated, user: "bob"}, Yes},
		{conf.ACL{Type: conf.ACLMaxUserIP, MaxUserIP: conf.MaxUserIP{Max: 2}}, world{state: Authenticated, many: true}, Yes},
		{conf.ACL{Type: conf.ACLMaxUserIP}, world{state: AuthNeeded}, AskCredentials},
		{conf.ACL{Type: conf.ACLIdent, Users: bob}, world{ident: "bob"}, Yes},
		{conf.ACL{Type: conf.ACLIdent, Users: conf.UserList{Required: true}}, world{}, No},
		{conf.ACL{Type: conf.ACLIdentRegex, Regexes: regexes(false, "^-$")}, world{}, Yes}, // nobody is "-"
		{conf.ACL{Type: conf.ACLExternal, External: &conf.ExternalUse{Type: &conf.ExternalACL{}}}, world{outcome: Yes}, Yes},
		{conf.ACL{Type: conf.ACLExternal, External: withLogin}, world{outcome: Yes, state: Authenticated}, Yes},
		{conf.ACL{Type: conf.ACLExternal, External: withLogin}, world{outcome: Yes, state: AuthNeeded}, AskCredentials},
		{conf.ACL{Type: conf.ACLExternal, External: withLogin}, world{outcome: Yes, state: NoAuth}, Unknown},
		{conf.ACL{Type: conf.ACLMaxConn, Numbers: []int{4}}, world{}, Yes},
		{conf.ACL{Type: conf.ACLMaxConn, Numbers: []int{5}}, world{}, No},
		{conf.ACL{Type: conf.ACLSrcAS, Numbers: []int{65001}}, world{}, Yes},
		{conf.ACL{Type: conf.ACLDstAS, Numbers: []int{65001}}, world{}, Yes},
		{conf.ACL{Type: conf.ACLDstAS, Numbers: []int{65002}}, world{}, No},
		{conf.ACL{Type: conf.ACLARP, MACs: [][6]byte{{2, 0, 0, 0, 0, 1}}}, world{}, Yes},
		{conf.ACL{Type: conf.ACLARP, MACs: [][6]byte{{2, 0, 0, 0, 0, 2}}}, world{}, No},
		{conf.ACL{Type: conf.ACLUserCert, Cert: conf.CertList{Attribute: "CN", Values: []string{"bob"}}}, world{}, Yes},
		{conf.ACL{Type: conf.ACLCACert, Cert: conf.CertList{Attribute: "CN", Values: []string{"bob"}}}, world{}, No},
	} {
		w := &c.w
		all := Sources{Names: &resolver{addrs: map[string]string{"a.test": "203.0.113.1"}}, External: w,
			ASNumbers: w, Connections: w, Hardware: w, Certificates: w}
		m, err := newCompiler(&conf.Config{}, all).compile(&c.acl)
		if err != nil {
			t.Fatal(err)
		}
		f := facts(t, "GET http://a.test/ HTTP/1.0")
		f.Conn, f.Login = w, w
		if got := m.match(t.Context(), f); got != c.want {
			t.Errorf("%s %+v: %d, want %d", c.acl.Type, c.w, got, c.want)
		}
		switch c.acl.Type {
		case conf.ACLIdent, conf.ACLIdentRegex, conf.ACLProxyAuth, conf.ACLProxyAuthRegex, conf.ACLMaxUserIP:
			continue // the connection or the request itself is the source
		}
		// Without its source a type can never tell, and is named.
		none := newCompiler(&conf.Config{}, Sources{})
		a := c.acl
		a.Name = "x"
		if got := none.matcher(&a).match(t.Context(), loggedIn(t, "GET http://a.test/ HTTP/1.0")); got != Missing {
			t.Errorf("%s without a source: %d", c.acl.Type, got)
		}
		if want := []string{"x (" + string(c.acl.Type) + ")"}; !slices.Equal(none.idle, want) {
			t.Errorf("%s: idle %q", c.acl.Type, none.idle)
		}
	}
}

// loggedIn makes the Facts of a request whose user is known.
func loggedIn(t *testing.T, head string) *Facts {
	f := facts(t, head)
	f.Login = &world{state: Authenticated}
	return f
}
