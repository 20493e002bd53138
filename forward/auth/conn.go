package auth

import (
	"context"
	"strings"
	"sync"

	"github.com/cuttle-proxy/cuttle/forward/helper"
	"go.uber.org/zap"
)

// Conn is what a client connection knows of handshakes. The zero value is that of a new
// connection. A nil Conn is that of a request without one: NTLM and Negotiate do not work there.
type Conn struct {
	mu      sync.Mutex
	user    string // who has proved itself here, once for all
	scheme  *connection
	session *helper.Session // of a handshake that is under way
	known   known           // the credentials seen here last
}

// User is who the connection belongs to, "" as long as nobody has proved that.
func (c *Conn) User() string {
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Close ends a handshake that is under way. It must be called when the connection ends.
func (c *Conn) Close() { c.abandon() }

func (c *Conn) abandon() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop()
}

// drop gives the helper back. The caller holds c.mu.
func (c *Conn) drop() {
	if c.session != nil {
		c.session.Release()
		c.session, c.scheme = nil, nil
	}
}

// connection is NTLM or Negotiate (RFC 4559): a handshake in several requests of one
// connection, which belongs to the user from then on.
type connection struct {
	word      string
	keepAlive bool // the connection stays when it is asked for credentials
	reserve   func(context.Context) (*helper.Session, error)
	log       *zap.Logger
}

func (s *connection) name() string { return s.word }

func (s *connection) challenge(dst []byte, _ *Login) []byte { return append(dst, s.word...) }

func (s *connection) check(ctx context.Context, l *Login, q Request, blob []byte) {
	c := q.Conn
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user != "" { // a request in front of this one was quicker
		l.State, l.User = Accepted, c.user
		return
	}
	verb := "KK "
	// What was begun goes on after a reconfigure.
	if c.scheme == nil || c.scheme.word != s.word {
		c.drop()
		verb = "YR "
		session, err := s.reserve(ctx)
		if err != nil {
			l.State = Refused
			return
		}
		c.session, c.scheme = session, s
	}
	answer, err := c.session.Ask(ctx, append([]byte(verb), blob...))
	if err != nil {
		l.State = Refused
		c.drop()
		return
	}
	s.understand(l, answer)
	if l.State == Accepted {
		c.user = l.User
	}
	if l.State != Continues {
		c.drop()
	}
}

// understand takes the helper's verdict: TT TOKEN, AF USER, NA REASON, BH REASON, or the
// newer dialect's OK, ERR with pairs. Negotiate has a token in front of user and reason.
func (s *connection) understand(l *Login, answer string) {
	word, rest := helper.Word(answer)
	token := ""
	if strings.Contains(rest, "=") && (word == "OK" || word == "ERR" || strings.Contains(rest, "token=")) {
		token, rest = pairsOf(rest)
	} else if s.word == "Negotiate" && word != "TT" {
		token, rest = helper.Word(rest)
	}
	if word == "TT" && token == "" {
		token, _ = helper.Word(rest)
	}
	l.State = Refused
	if token != "" && !isName(token) {
		s.log.Error("ERROR: the {scheme} helper gives a token that cannot be one", zap.String("scheme", s.word))
		return
	}
	switch word {
	case "TT":
		l.State, l.token, l.Message = Continues, token, "the handshake goes on"
	case "AF", "OK":
		if user := strings.TrimRight(rest, " \t"); isName(user) {
			l.State, l.User, l.token = Accepted, user, token
		} else {
			s.log.Error("ERROR: the {scheme} helper names a user that cannot be one", zap.String("scheme", s.word))
		}
	case "NA", "ERR":
		l.token, l.Message = token, reason(answer)
	case "BH":
		l.Message = reason(answer)
		s.log.Error("ERROR: validating a user via {scheme}: the helper says BH {reason}", zap.String("scheme", s.word), zap.String("reason", printable(rest)))
	default:
		s.log.Error("ERROR: the {scheme} helper answers something that is not understood", zap.String("scheme", s.word))
	}
}

// pairsOf takes token= and user= out of an answer in the newer dialect.
func pairsOf(text string) (token, user string) {
	for k, v := range helper.Pairs(text) {
		switch k {
		case "token":
			token = v
		case "user":
			user = helper.Unescape(v)
		}
	}
	return token, user
}

// isName reports whether a text can be a user's name.
func isName(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return false
		}
	}
	return text != ""
}

// printable is the beginning of a text without what is not to be in a log line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text[:min(len(text), 200)])
}
