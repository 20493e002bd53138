package auth

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/zap"
)

// State is what became of a request's credentials.
type State uint8

const (
	// Unchecked: Check was not called.
	Unchecked State = iota
	// Needed: there are none, or none that could be read.
	Needed
	// Refused: they are wrong, or nobody could say that they are right.
	Refused
	// Continues: a handshake goes on. The challenge must reach the client, and the
	// connection must stay.
	Continues
	// Accepted: Login.User is who the client is.
	Accepted
)

// Login is the credentials of one request and what became of them. The zero value is
// that of a new request.
type Login struct {
	State State
	// User is whom the client claims to be, also when that was refused; "" is nobody.
	User string
	// Message is why they were refused, for the page that says so; "" for no reason known.
	Message string

	scheme string    // the word of the scheme that was used
	stale  bool      // Digest: only the nonce was wrong
	alone  bool      // Digest: the client is asked for that again, and for no other scheme
	token  string    // what the challenge, or the field of a reply, has to carry
	told   *acl.Told // what access lists are told of an accepted user; nil when it is yet to be made
}

// Request is what Check looks at.
type Request struct {
	// Field is the value of Proxy-Authorization, or of Authorization where the proxy
	// stands for the origin; nil when there is none.
	Field []byte
	// Method is the request's method.
	Method string
	// Conn is the client's connection.
	Conn *Conn
}

// Options are what an Authenticator is made of.
type Options struct {
	Settings *conf.AuthSettings
	// Memory is what is known from before.
	Memory *Memory
	// Start starts the helpers of a scheme; they are closed by who started them.
	Start func(helper.Options) *helper.Pool
	Log   *zap.Logger
	// Now is the clock, nil means time.Now.
	Now func() time.Time
}

// Authenticator is the schemes of one configuration.
type Authenticator struct {
	schemes []scheme
	memory  *Memory
	ipTTL   time.Duration
	now     func() time.Time
}

// scheme is one way to prove who one is.
type scheme interface {
	// name is the scheme's word in header fields.
	name() string
	// check fills the login; rest is the field's value behind the scheme's name.
	check(ctx context.Context, l *Login, q Request, rest []byte)
	// challenge appends what the scheme asks for.
	challenge(dst []byte, l *Login) []byte
}

// New starts the helpers of all schemes that can be used, in the order in which
// squid.conf names them first.
func New(o Options) *Authenticator {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Authenticator{memory: o.Memory, ipTTL: o.Settings.AuthenticateIPTTL, now: o.Now}
	o.Memory.configure(o.Settings)
	for _, s := range o.Settings.AuthSchemes {
		if len(s.Program) == 0 || s.Children <= 0 {
			continue
		}
		pool := o.Start(helper.Options{
			Name: s.Name + "authenticator", Program: s.Program, Children: s.Children,
			Concurrency: max(0, s.Concurrency), Secret: true, Log: o.Log,
		})
		switch s.Name {
		case "basic":
			a.schemes = append(a.schemes, &basic{cfg: s, ask: pool.Ask, memory: o.Memory, now: o.Now})
		case "digest":
			a.schemes = append(a.schemes, &digest{cfg: s, ask: pool.Ask, memory: o.Memory, now: o.Now})
		case "ntlm":
			a.schemes = append(a.schemes, &connection{word: "NTLM", keepAlive: s.KeepAlive, reserve: pool.Reserve, log: o.Log})
		case "negotiate":
			a.schemes = append(a.schemes, &connection{word: "Negotiate", keepAlive: s.KeepAlive, reserve: pool.Reserve, log: o.Log})
		}
	}
	return a
}

// Usable reports whether there is any scheme.
func (a *Authenticator) Usable() bool { return len(a.schemes) > 0 }

// Check looks at the credentials, asking a helper and waiting for it if it must.
// Once it has, it does nothing when it is called again for the same login.
func (a *Authenticator) Check(ctx context.Context, l *Login, q Request) {
	if l.State != Unchecked {
		return
	}
	l.State = Needed
	if user := q.Conn.User(); user != "" { // whatever the request says beside that
		l.State, l.User = Accepted, user
		return
	}
	word, rest := cutWord(q.Field)
	for _, s := range a.schemes {
		if http1.EqualFold(word, s.name()) {
			l.scheme = s.name()
			if _, bound := s.(*connection); !bound {
				q.Conn.abandon()
			}
			s.check(ctx, l, q, rest)
			return
		}
	}
	q.Conn.abandon()
}

// Knows reports whether credentials were seen right before, so that Check asks no helper.
func (a *Authenticator) Knows(field []byte, conn *Conn) bool {
	if conn.User() != "" {
		return true
	}
	word, rest := cutWord(field)
	for _, s := range a.schemes {
		if b, ok := s.(*basic); ok && http1.EqualFold(word, s.name()) {
			return b.knows(rest)
		}
	}
	return false
}

// cutWord takes the scheme's name from the front of a field.
func cutWord(field []byte) (word, rest []byte) {
	end := 0
	for end < len(field) && !isBlank(field[end]) {
		end++
	}
	word, rest = field[:end], field[end:]
	for len(rest) > 0 && isBlank(rest[0]) {
		rest = rest[1:]
	}
	return word, rest
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// Challenges gives the values of the fields (Proxy-Authenticate, WWW-Authenticate) by
// which a client is asked for credentials.
func (a *Authenticator) Challenges(l *Login) []string {
	if l.State == Continues {
		return []string{l.scheme + " " + l.token}
	}
	list := make([]string, 0, len(a.schemes)+1)
	for _, s := range a.schemes {
		if !l.alone || s.name() == l.scheme {
			list = append(list, string(s.challenge(nil, l)))
		}
	}
	if l.token != "" { // the last word of a failed Negotiate
		list = append(list, l.scheme+" "+l.token)
	}
	return list
}

// EndsConnection reports whether the connection is to end with the reply that asks for
// credentials: so it is where NTLM or Negotiate has keep_alive off, for clients that
// begin a handshake on a fresh connection only. A handshake that goes on keeps it.
func (a *Authenticator) EndsConnection(l *Login) bool {
	return l.State != Continues && slices.ContainsFunc(a.schemes, func(s scheme) bool {
		bound, ok := s.(*connection)
		return ok && !bound.keepAlive
	})
}

// Info gives the field that a reply to an accepted request carries: authenticate says
// that it belongs into Proxy-Authenticate (WWW-Authenticate), else it belongs into
// Proxy-Authentication-Info (Authentication-Info). "" is for none.
func (a *Authenticator) Info(l *Login) (value string, authenticate bool) {
	if l.State != Accepted || l.token == "" {
		return "", false
	}
	if l.scheme == "Digest" {
		return `nextnonce="` + l.token + `"`, false
	}
	return l.scheme + " " + l.token, true
}

// TooManyAddresses is max_user_ip: it notes that the user came from addr and reports
// whether that makes more than limit addresses in authenticate_ip_ttl. The address that is one
// too many is forgotten again when strict, else all of them are.
func (a *Authenticator) TooManyAddresses(user string, addr netip.Addr, limit int, strict bool) bool {
	return a.memory.addresses.tooMany(user, addr, limit, strict, a.ipTTL, a.now())
}
