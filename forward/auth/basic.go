package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// basic is RFC 7617: the user's name and password in the clear.
type basic struct {
	cfg    *conf.AuthScheme
	ask    func(context.Context, []byte) (string, error)
	memory *Memory
	now    func() time.Time
}

func (*basic) name() string { return "Basic" }

func (b *basic) challenge(dst []byte, _ *Login) []byte {
	return append(append(append(dst, `Basic realm="`...), b.cfg.Realm...), '"')
}

func (b *basic) check(ctx context.Context, l *Login, q Request, rest []byte) {
	now := b.now()
	if known := q.Conn.recall(b, rest, now); known != nil {
		l.State, l.User, l.told = Accepted, known.user, known.told
		return
	}
	var space [128]byte
	text := decodeBasic(space[:0], rest)
	defer clear(text)
	if len(text) == 0 || bytes.ContainsAny(text, "\r\n") {
		return
	}
	user, password, complete := b.split(text)
	if !complete || len(password) == 0 && !b.cfg.BlankPassword {
		l.State, l.User, l.Message = Refused, string(user), "a password is missing"
		return
	}
	k := b.memory.key(user, password)
	if known := b.memory.recall(k, now, b.cfg.CredentialsTTL); known != nil {
		l.State, l.User, l.told = Accepted, known.user, known.told
		q.Conn.remember(b, rest, known, now)
		return
	}
	l.User = string(user)
	l.State = Refused
	right, message := b.memory.once(k, func() (bool, string) { return b.askAbout(ctx, k, l.User, string(password)) })
	if l.Message = message; right {
		l.State = Accepted
	}
}

// split takes decoded credentials apart, the user as he is known here.
func (b *basic) split(text []byte) (user, password []byte, complete bool) {
	user, password, complete = bytes.Cut(text, []byte{':'})
	if !b.cfg.CaseSensitive {
		http1.AppendLower(user[:0], user)
	}
	return user, password, complete
}

// knows reports whether credentials were right when they were seen last, and that holds.
func (b *basic) knows(rest []byte) bool {
	var space [128]byte
	text := decodeBasic(space[:0], rest)
	defer clear(text)
	user, password, complete := b.split(text)
	return complete && b.memory.recall(b.memory.key(user, password), b.now(), b.cfg.CredentialsTTL) != nil
}

// askAbout asks the helper. The question is not given up when the client is: others
// may wait for the same answer.
func (b *basic) askAbout(ctx context.Context, k key, user, password string) (right bool, message string) {
	question := helper.AppendEscaped(nil, user)
	question = helper.AppendEscaped(append(question, ' '), password)
	answer, err := b.ask(context.WithoutCancel(ctx), question)
	clear(question)
	if err != nil || len(answer) < 2 || !strings.EqualFold(answer[:2], "OK") {
		b.memory.forget(user)
		return false, reason(answer)
	}
	b.memory.remember(k, user, "", b.now())
	return true, ""
}

// BasicCredentials takes the user and the password out of a field's value (after "Basic"),
// for those who have to pass them on. ok is false when it is none of Basic.
func BasicCredentials(field []byte) (credentials []byte, ok bool) {
	word, rest := cutWord(field)
	if !http1.EqualFold(word, "Basic") {
		return nil, false
	}
	text := decodeBasic(nil, rest)
	return text, bytes.IndexByte(text, ':') >= 0
}

// decodeBasic appends what base64 stands for. What follows the base64 is not looked at,
// and a NUL ends the text, as for 2.6.
func decodeBasic(dst, field []byte) []byte {
	end := 0
	for end < len(field) && isBase64(field[end]) {
		end++
	}
	if end%4 == 1 {
		end-- // one letter alone stands for nothing
	}
	field = field[:end]
	text, err := base64.RawStdEncoding.AppendDecode(dst, field)
	if err != nil {
		return dst[:0]
	}
	text, _, _ = bytes.Cut(text, []byte{0})
	return text
}

func isBase64(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/'
}

// reason is what a helper says behind its no: the rest of the line, or message=.
func reason(answer string) string {
	_, rest := helper.Word(answer)
	for key, v := range helper.Pairs(rest) {
		if key == "message" {
			return v
		}
	}
	return rest
}
