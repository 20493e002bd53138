package auth

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// answering makes the field a client answers a challenge with.
type answering struct {
	user, password, realm, nonce, uri, qop, nc, cnonce, method, algorithm string
}

var nonceIn = regexp.MustCompile(`nonce="([^"]*)"`)

// to fills in what the test leaves out.
func (a answering) to(challenge string) string {
	def := func(s *string, v string) {
		switch *s {
		case "":
			*s = v
		case "none":
			*s = ""
		}
	}
	def(&a.user, "bob")
	def(&a.password, "secret")
	def(&a.realm, "r")
	def(&a.uri, "/a")
	def(&a.qop, "auth")
	def(&a.nc, "00000001")
	def(&a.cnonce, "abc")
	def(&a.method, "GET")
	def(&a.nonce, nonceIn.FindStringSubmatch(challenge)[1])
	ha1 := hash(a.user, a.realm, a.password)
	switch a.algorithm {
	case "MD5-sess":
		ha1 = hash(ha1, a.nonce, a.cnonce)
	case "md5-SESS": // as in RFC 2617's example code
		raw, _ := hex.DecodeString(ha1)
		ha1 = hash(string(raw), a.nonce, a.cnonce)
	}
	response := hash(ha1, a.nonce, a.nc, a.cnonce, a.qop, hash(a.method, a.uri))
	field := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`, a.user, a.realm, a.nonce, a.uri, response)
	for _, p := range []struct{ name, value string }{{"qop", a.qop}, {"nc", a.nc}, {"cnonce", a.cnonce}, {"algorithm", a.algorithm}} {
		if p.value != "" {
			field += ", " + p.name + "=" + p.value
		}
	}
	return field
}

const digestLines = "auth_param digest realm r\nauth_param digest children 1\n"

func digestRig(t *testing.T, more string) *rig {
	return newRig(t, nil, digestLines+more, `"bob":"r"=`+hash("bob", "r", "secret"), `"new":"r"=OK ha1="`+hash("new", "r", "secret")+`"`, `"BH":"r"=BH`)
}

func (r *rig) challenge() string { return r.Challenges(new(Login))[0] }

func TestDigest(t *testing.T) {
	const bob = `"bob":"r"`
	for name, c := range map[string]struct {
		a     answering
		state State
		stale bool
		asked string
	}{
		"good":            {answering{}, Accepted, false, bob},
		"new dialect":     {answering{user: "new"}, Accepted, false, `"new":"r"`},
		"other URI":       {answering{uri: "/zzz"}, Accepted, false, bob},
		"wrong password":  {answering{password: "x"}, Refused, false, bob + "|" + bob},
		"unknown user":    {answering{user: "zed"}, Refused, false, `"zed":"r"`},
		"broken helper":   {answering{user: "BH"}, Refused, false, `"BH":"r"|"BH":"r"`},
		"other realm":     {answering{realm: "x"}, Refused, false, `"bob":"x"`},
		"foreign nonce":   {answering{nonce: "AAAA"}, Refused, true, ""},
		"no qop":          {answering{qop: "none", nc: "none", cnonce: "none"}, Refused, true, ""},
		"auth-int":        {answering{qop: "auth-int"}, Refused, true, ""},
		"short count":     {answering{nc: "1"}, Refused, true, ""},
		"no number":       {answering{nc: "0000000x"}, Refused, true, ""},
		"no cnonce":       {answering{cnonce: "none"}, Refused, true, ""},
		"no uri":          {answering{uri: "none"}, Refused, true, ""},
		"empty user":      {answering{user: "none"}, Refused, true, ""},
		"quoted user":     {answering{user: `b\"ob`}, Refused, true, ""},
		"SHA":             {answering{algorithm: "SHA"}, Refused, true, ""},
		"MD5":             {answering{algorithm: "MD5"}, Accepted, false, bob},
		"session":         {answering{algorithm: "MD5-sess"}, Accepted, false, bob},
		"session as code": {answering{algorithm: "md5-SESS"}, Accepted, false, bob},
		"other method":    {answering{method: "POST"}, Refused, false, bob + "|" + bob},
	} {
		t.Run(name, func(t *testing.T) {
			r := digestRig(t, "")
			l := r.check(c.a.to(r.challenge()), nil)
			if q := r.questions(); l.State != c.state || l.stale != c.stale || q != c.asked {
				t.Errorf("%+v, asked %q", l, q)
			}
			want := fmt.Sprintf(`^Digest realm="r", nonce="[A-Za-z0-9+/=]{44}", qop="auth", stale=%v$`, c.stale)
			if got := r.Challenges(l)[0]; !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

func TestDigestFields(t *testing.T) {
	r := digestRig(t, "")
	whole := answering{}.to(r.challenge())
	for field, state := range map[string]State{
		"Digest": Needed, "Digest x": Needed, `Digest realm="r"`: Needed, `Digest username`: Needed, `Digest ,=,`: Needed,
		`Digest username="bob"`: Refused, `Digest username="bob`: Refused, `Digest username=bob, nonce=`: Refused,
		strings.ReplaceAll(whole, ", ", ","): Accepted,
	} {
		if l := r.check(field, nil); l.State != state {
			t.Errorf("%q: %+v", field, l)
		}
	}
	quoted := answering{nc: "00000002"}.to(whole)
	quoted = strings.Replace(strings.Replace(quoted, "qop=auth", `qop="auth"`, 1), "nc=00000002", `nc = "00000002"`, 1)
	if l := r.check(quoted, nil); l.State != Accepted {
		t.Errorf("%q: %+v", quoted, l)
	}
}

// A hash that is known may be wrong by now: the helper is asked once more.
func TestDigestCache(t *testing.T) {
	r := digestRig(t, "")
	const bob = `"bob":"r"`
	for i, c := range []struct {
		password string
		state    State
		asked    string
	}{
		{"secret", Accepted, bob}, {"secret", Accepted, ""}, {"x", Refused, bob}, {"secret", Accepted, ""}, {"secret", Accepted, ""},
	} {
		if l := r.check(answering{password: c.password}.to(r.challenge()), nil); l.State != c.state {
			t.Errorf("step %d: %+v", i, l)
		}
		if q := r.questions(); q != c.asked {
			t.Errorf("step %d: asked %q, want %q", i, q, c.asked)
		}
	}
}

// A nonce belongs to the user who used it first.
func TestNonceOfAnother(t *testing.T) {
	r := digestRig(t, "")
	challenge := r.challenge()
	for i, c := range []struct {
		user  string
		count int
		state State
	}{{"bob", 1, Accepted}, {"new", 2, Refused}, {"bob", 3, Accepted}, {"new", 1, Refused}} {
		a := answering{user: c.user, nc: fmt.Sprintf("%08x", c.count)}
		if l := r.check(a.to(challenge), nil); l.State != c.state || l.stale == (c.state == Accepted) || l.User != c.user {
			t.Errorf("step %d: %+v", i, l)
		}
	}
}

func TestNonceCounts(t *testing.T) {
	for name, c := range map[string]struct {
		lines  string
		counts []int
		want   string // A accepted, s stale
	}{
		"default":                     {"", []int{1, 2, 10, 5, 11}, "AAAss"},
		"twice the same":              {"", []int{1, 1, 2}, "Ass"},
		"strict":                      {"auth_param digest nonce_strictness on", []int{1, 2, 4, 3, 5}, "AAsss"},
		"unchecked":                   {"auth_param digest check_nonce_count off", []int{1, 2, 4, 3, 3}, "AAAAA"},
		"too often, before the sweep": {"auth_param digest nonce_max_count 3", []int{1, 2, 3, 4, 5}, "AAAAA"},
	} {
		t.Run(name, func(t *testing.T) {
			r := digestRig(t, c.lines)
			challenge, got := r.challenge(), ""
			for _, n := range c.counts {
				l := r.check(answering{nc: fmt.Sprintf("%08x", n)}.to(challenge), nil)
				got += map[bool]string{true: "A", false: "s"}[l.State == Accepted]
				if l.State != Accepted && !l.stale {
					t.Errorf("count %d: %+v", n, l)
				}
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// Nonces end at the first sweep after they are too old or used too often, as in 2.6.
func TestNonceLife(t *testing.T) {
	const lines = "auth_param digest nonce_max_count 3\nauth_param digest nonce_garbage_interval 60 seconds\nauth_param digest nonce_max_duration 10 minutes"
	r := digestRig(t, lines)
	r.clock = r.memory.nonces.began.Add(90 * time.Second)
	challenge, unused := r.challenge(), r.challenge()
	for n := 1; n <= 4; n++ {
		l := r.check(answering{nc: fmt.Sprintf("%08x", n)}.to(challenge), nil)
		info, field := r.Info(l)
		if l.State != Accepted || field || strings.HasPrefix(info, `nextnonce="`) != (n >= 2) {
			t.Errorf("use %d: %+v, %q", n, l, info)
		}
		if n >= 2 { // what it is given instead can be used
			if l := r.check(answering{}.to(info), nil); l.State != Accepted {
				t.Errorf("nextnonce: %+v", l)
			}
		}
	}
	r.clock = r.clock.Add(60 * time.Second)
	if l := r.check(answering{nc: "00000005"}.to(challenge), nil); l.State != Refused || !l.stale {
		t.Errorf("used too often: %+v", l)
	}
	if l := r.check(answering{nc: "00000001"}.to(challenge), nil); l.State != Refused || !l.stale {
		t.Errorf("a used up nonce from the beginning: %+v", l)
	}
	if l := r.check(answering{}.to(unused), nil); l.State != Accepted {
		t.Errorf("%+v", l)
	}
	r.clock = r.clock.Add(10 * time.Minute)
	if l := r.check(answering{nc: "00000002"}.to(unused), nil); l.State != Refused || !l.stale {
		t.Errorf("too old: %+v", l)
	}
	if n := r.memory.nonces.used.Len(); n > 5 {
		t.Errorf("%d nonces are kept", n)
	}
}

// Challenges alone cost no memory, and what is forgotten cannot be used again.
func TestNoncesAreBounded(t *testing.T) {
	m := NewMemory()
	now := time.Now()
	rules := nonceRules{interval: time.Minute, duration: time.Hour, count: 50, check: true}
	first := string(m.nonces.issue(nil, now))
	if _, ok := m.nonces.use(first, "u", 1, now, rules); !ok {
		t.Fatal("a fresh nonce is refused")
	}
	for i := range mostUsers {
		now = now.Add(time.Microsecond)
		nonce := string(m.nonces.issue(nil, now))
		if i%2 == 0 {
			continue
		}
		if _, ok := m.nonces.use(nonce, "u", 1, now, rules); !ok {
			t.Fatalf("nonce %d is refused", i)
		}
	}
	if n := m.nonces.used.Len(); n != mostUsers/2+1 {
		t.Errorf("%d are kept", n)
	}
	for range mostUsers {
		now = now.Add(time.Microsecond)
		m.nonces.use(string(m.nonces.issue(nil, now)), "u", 1, now, rules)
	}
	if n := m.nonces.used.Len(); n != mostUsers {
		t.Errorf("%d are kept", n)
	}
	if ok, _ := m.nonces.valid(first, "u", now, rules); ok {
		t.Error("a nonce whose counts were forgotten is taken again")
	}
}

func TestPostWorkaround(t *testing.T) {
	r := digestRig(t, "auth_param digest post_workaround on")
	if l := r.checkMethod(answering{method: "GET"}.to(r.challenge()), "POST", nil); l.State != Accepted {
		t.Errorf("%+v", l)
	}
	if l := r.checkMethod(answering{method: "POST"}.to(r.challenge()), "GET", nil); l.State != Refused {
		t.Errorf("%+v", l)
	}
}
