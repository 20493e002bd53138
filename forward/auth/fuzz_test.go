package auth

import (
	"bytes"
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// Whatever a client sends: a helper's question is one line of two words, and no name is
// accepted that the helper did not accept.
func FuzzBasic(f *testing.F) {
	for _, s := range []string{"Basic Ym9iOnNlY3JldA==", "Basic", "basic  x", "Basic " + base64.StdEncoding.EncodeToString([]byte("a b\x00:\r\n")), "Basic !"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, field []byte) {
		memory := NewMemory()
		asked := 0
		b := &basic{cfg: basicConfig, memory: memory, now: time.Now, ask: func(_ context.Context, question []byte) (string, error) {
			asked++
			if bytes.ContainsAny(question, "\r\n\x00") || bytes.Count(question, []byte(" ")) != 1 {
				t.Errorf("%q asks %q", field, question)
			}
			return "OK", nil
		}}
		a := &Authenticator{schemes: []scheme{b}, memory: memory, now: time.Now}
		var first, second Login
		a.Check(t.Context(), &first, Request{Field: field})
		a.Check(t.Context(), &second, Request{Field: field})
		if (first.State == Accepted) != (asked == 1) || first.State != second.State || first.User != second.User || asked > 1 {
			t.Errorf("%q: %+v, %+v, asked %d times", field, first, second, asked)
		}
	})
}

// No parameter of a Digest field escapes its quotes in the question, and nothing is accepted
// without the password.
func FuzzDigest(f *testing.F) {
	f.Add([]byte(`Digest username="bob", realm="r", nonce="x", uri="/", response="0", qop=auth, nc=00000001, cnonce="a"`))
	f.Add([]byte(`Digest username="b\"ob",,=x`))
	f.Add([]byte("Digest username=bob\n, realm=\"\\"))
	f.Fuzz(func(t *testing.T, field []byte) {
		memory := NewMemory()
		g := &digest{cfg: digestConfig, memory: memory, now: time.Now, ask: func(_ context.Context, question []byte) (string, error) {
			if bytes.ContainsAny(question, "\r\n\x00") || bytes.Count(question, []byte{'"'}) != 4 {
				t.Errorf("%q asks %q", field, question)
			}
			return strings.Repeat("0", 32), nil
		}}
		nonce := string(memory.nonces.issue(nil, time.Now()))
		field = bytes.Replace(field, []byte(`nonce="x"`), []byte(`nonce="`+nonce+`"`), 1)
		a := &Authenticator{schemes: []scheme{g}, memory: memory, now: time.Now}
		var l Login
		a.Check(t.Context(), &l, Request{Field: field, Method: "GET"})
		if l.State == Accepted {
			t.Errorf("%q is accepted", field)
		}
		a.Challenges(&l)
	})
}

// What an NTLM or Negotiate helper says never makes a name with control characters, nor
// a header field with a line end.
func FuzzHandshakeAnswer(f *testing.F) {
	for _, s := range []string{"TT CHAL", "AF DOM\\bob", "AF t user", "NA t reason", "BH", "OK token=x user=\"a b\"", "TT token=\"a\r\nb\"", ""} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, answer string, negotiate bool) {
		answer, _, _ = strings.Cut(answer, "\n") // the line protocol
		s := &connection{word: "NTLM", log: quiet}
		if negotiate {
			s.word = "Negotiate"
		}
		l := Login{scheme: s.word}
		s.understand(&l, answer)
		if l.State == Accepted && !isName(l.User) || strings.ContainsAny(l.token, "\r\n\x00") {
			t.Errorf("%q: %+v", answer, l)
		}
	})
}
