package acl

import (
	"context"

	"github.com/cuttle-proxy/cuttle/conf"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// texts is a set of texts: user names or regular expressions.
type texts interface{ has(text string) bool }

// users is the value of ident, proxy_auth and ext_user.
type users struct {
	required, fold bool
	names          map[string]struct{}
}

func compileUsers(list conf.UserList) *users {
	u := &users{required: list.Required, fold: list.ICase, names: map[string]struct{}{}}
	for _, name := range list.Names {
		if u.fold {
			name = http1.Lower(name)
		}
		u.names[name] = struct{}{}
	}
	return u
}

// has reports whether user is in the list; "" and "-" are nobody.
func (u *users) has(user string) bool {
	if user == "" || user == "-" {
		return false
	}
	if u.required {
		return true
	}
	if u.fold {
		user = http1.Lower(user)
	}
	_, ok := u.names[user]
	return ok
}

// ext_user, ext_user_regex: the user an external helper named; without one
// nothing can be told.
type extUser struct{ set texts }

func (m *extUser) match(ctx context.Context, f *Facts) Ternary {
	return verdict(m.tell(ctx, f, f.Told, true))
}

func (m *extUser) tell(_ context.Context, _ *Facts, before *Told, _ bool) (Ternary, *Told) {
	if before == nil || before.User == "" {
		return Unknown, before
	}
	return yes(m.set.has(before.User)), before
}

// ident, ident_regex: who owns the client's connection; "-" when its host does
// not tell.
type ident struct{ set texts }

func (m *ident) match(ctx context.Context, f *Facts) Ternary {
	user := ""
	if f.Conn != nil {
		user = f.Conn.Ident(ctx)
	}
	return m.says(user)
}

// known is the match where nobody waits: nothing can be told before the client's host
// has answered another list.
func (m *ident) known(f *Facts) Ternary {
	if f.Conn == nil {
		return m.says("")
	}
	user, ok := f.Conn.KnownIdent()
	if !ok {
		return Unknown
	}
	return m.says(user)
}

func (m *ident) says(user string) Ternary {
	if user == "" {
		user = "-"
	}
	return yes(m.set.has(user))
}

// proxy_auth, proxy_auth_regex: the user who authenticated.
type proxyAuth struct{ set texts }

func (m *proxyAuth) match(ctx context.Context, f *Facts) Ternary {
	return verdict(m.tell(ctx, f, f.Told, true))
}

func (m *proxyAuth) tell(ctx context.Context, f *Facts, before *Told, waits bool) (Ternary, *Told) {
	user, outcome := authenticate(ctx, f, waits)
	if outcome != Yes {
		return outcome, before
	}
	return yes(m.set.has(user.AuthUser)), before.And(user)
}

// max_user_ip: the user comes from too many addresses.
type maxUserIP struct{ limit conf.MaxUserIP }

func (m *maxUserIP) match(ctx context.Context, f *Facts) Ternary {
	return verdict(m.tell(ctx, f, f.Told, true))
}

func (m *maxUserIP) tell(ctx context.Context, f *Facts, before *Told, waits bool) (Ternary, *Told) {
	user, outcome := authenticate(ctx, f, waits)
	if outcome != Yes {
		return outcome, before
	}
	return yes(f.Login.TooManyAddresses(user.AuthUser, m.limit.Max, m.limit.Strict)), before.And(user)
}

// verdict is the answer of a teller alone.
func verdict(outcome Ternary, _ *Told) Ternary { return outcome }

// authenticate answers Yes with the user, or why there is none. Where nobody waits, no
// helper is asked.
func authenticate(ctx context.Context, f *Facts, waits bool) (*Told, Ternary) {
	if f.URL == nil {
		return nil, No
	}
	if f.Login == nil {
		return nil, Unknown
	}
	ask := f.Login.Known
	if waits {
		ask = f.Login.Authenticate
	}
	user, state := ask(ctx)
	switch state {
	case Authenticated:
		return user, Yes
	case AuthNeeded:
		return nil, AskCredentials
	case AuthFailed:
		return nil, No
	}
	return nil, Unknown
}
