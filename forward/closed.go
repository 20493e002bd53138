package forward

import (
	"context"
	"fmt"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"go.uber.org/zap"
)

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
