package auth

import (
	"context"
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
)

// digest is RFC 2617 with MD5: the password proves itself in a hash over a nonce. The helper
// gives the hash of user, realm and password (H(A1)), the proxy does the rest.
type digest struct {
	cfg    *conf.AuthScheme
	ask    func(context.Context, []byte) (string, error)
	memory *Memory
	now    func() time.Time
}

func (*digest) name() string { return "Digest" }

func (g *digest) challenge(dst []byte, l *Login) []byte {
	dst = append(append(dst, `Digest realm="`...), g.cfg.Realm...)
	dst = g.memory.nonces.issue(append(dst, `", nonce="`...), g.now())
	dst = append(dst, `", qop="auth", stale=`...)
	return strconv.AppendBool(dst, l.stale)
}

func (g *digest) check(ctx context.Context, l *Login, q Request, rest []byte) {
	d := parseDigest(rest)
	if !d.named {
		return
	}
	l.State, l.User = Refused, d.username
	rules := g.nonceRules()
	count, sound := d.sound()
	if !sound {
		l.stale = true // so that the client tries again with what it was told now
		return
	}
	valid, foreign := g.memory.nonces.valid(d.nonce, d.username, g.now(), rules)
	if l.alone = !foreign; !valid {
		l.stale = true
		return
	}
	if !g.proves(ctx, &d, q.Method) {
		return
	}
	used, ok := g.memory.nonces.use(d.nonce, d.username, count, g.now(), rules)
	if !ok {
		l.stale = true
		return
	}
	l.State, l.alone = Accepted, false
	if used+1 >= g.cfg.NonceMaxCount {
		l.token = string(g.memory.nonces.issue(nil, g.now()))
	}
}

func (g *digest) nonceRules() nonceRules {
	return nonceRules{
		interval: g.cfg.NonceGarbageInterval, duration: g.cfg.NonceMaxDuration, count: g.cfg.NonceMaxCount,
		check: g.cfg.CheckNonceCount, strict: g.cfg.NonceStrictness,
	}
}

// sound reports whether everything is there and can be what it is to be.
func (d *digestField) sound() (count int, ok bool) {
	n, err := strconv.ParseUint(d.nc, 16, 32)
	ok = err == nil && len(d.nc) == 8 && len(d.response) == 2*md5.Size && d.qop == "auth" && d.cnonce != "" && d.uri != "" &&
		isWord(d.username) && isWord(d.realm) &&
		(d.algorithm == "" || strings.EqualFold(d.algorithm, "MD5") || d.session())
	return int(n), ok
}

func (d *digestField) session() bool { return strings.EqualFold(d.algorithm, "MD5-sess") }

// isWord reports whether a text fits between the quotes of the helper's question.
func isWord(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f || text[i] == '"' {
			return false
		}
	}
	return text != ""
}

// proves reports whether the response is right. A hash that is known from before may have
// become wrong, so the helper is asked again before anybody is refused.
func (g *digest) proves(ctx context.Context, d *digestField, method string) bool {
	k := g.memory.key([]byte(d.username), []byte("digest\x00"+d.realm))
	ha1 := ""
	if known := g.memory.recall(k, g.now(), 0); known != nil {
		ha1 = known.ha1
	} else if ha1 = g.lookUp(ctx, d); ha1 == "" {
		return false
	} else {
		g.memory.remember(k, d.username+"\x00"+d.realm, ha1, g.now())
	}
	if d.matches(ha1, method) {
		return true
	}
	if ha1 = g.lookUp(ctx, d); ha1 == "" {
		g.memory.forget(d.username + "\x00" + d.realm)
		return false
	}
	g.memory.remember(k, d.username+"\x00"+d.realm, ha1, g.now())
	return d.matches(ha1, method) || g.cfg.PostWorkaround && method != "GET" && d.matches(ha1, "GET")
}

// lookUp asks the helper for H(A1), "" when there is none.
func (g *digest) lookUp(ctx context.Context, d *digestField) string {
	answer, err := g.ask(ctx, []byte(`"`+d.username+`":"`+d.realm+`"`))
	if err != nil {
		return ""
	}
	word, rest := helper.Word(answer)
	switch {
	case len(word) >= 3 && strings.EqualFold(word[:3], "ERR"):
		return ""
	case word == "OK": // the newer dialect
		for k, v := range helper.Pairs(rest) {
			if k == "ha1" {
				word = v
			}
		}
	}
	return strings.ToLower(word)
}

// matches reports whether the response follows from H(A1) and the method.
func (d *digestField) matches(ha1, method string) bool {
	got := strings.ToLower(d.response)
	ha2 := hash(method, d.uri)
	right := subtle.ConstantTimeCompare([]byte(d.answer(ha1, ha2)), []byte(got)) == 1
	if d.session() {
		// 2.6 hashes H(A1) as bytes, as RFC 2617's example code does; its text wants letters.
		raw, _ := hex.DecodeString(ha1)
		right = subtle.ConstantTimeCompare([]byte(d.answer(hash(ha1, d.nonce, d.cnonce), ha2)), []byte(got)) == 1 ||
			subtle.ConstantTimeCompare([]byte(d.answer(hash(string(raw), d.nonce, d.cnonce), ha2)), []byte(got)) == 1
	}
	return right
}

func (d *digestField) answer(ha1, ha2 string) string {
	return hash(ha1, d.nonce, d.nc, d.cnonce, d.qop, ha2)
}

// hash is MD5 over words with colons between them, in hexadecimal.
func hash(words ...string) string {
	sum := md5.Sum([]byte(strings.Join(words, ":")))
	return hex.EncodeToString(sum[:])
}
