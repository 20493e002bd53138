package auth

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
)

// What recordings and Squid 2.6.STABLE24 say about fields and what is asked for them.
func TestBasic(t *testing.T) {
	for _, c := range []struct {
		field, asked, user string
		state              State
	}{
		{encoded("bob:secret"), "bob secret", "bob", Accepted},
		{encoded("BOB:secret"), "bob secret", "bob", Accepted},
		{encoded("bob:wrong"), "bob wrong", "bob", Refused},
		{encoded("al ice:p:w"), "al%20ice p:w", "al ice", Accepted},
		{encoded("a%b\"c:x\xe9 y"), "a%25b%22c x%E9%20y", `a%b"c`, Refused},
		{encoded("bob:"), "", "bob", Refused},
		{encoded(":secret"), " secret", "", Refused},
		{encoded("nocolon"), "", "nocolon", Refused},
		{encoded("bob:se\ncret"), "", "", Needed},
		{encoded("b\rob:secret"), "", "", Needed},
		{encoded("bob:secret\x00x"), "bob secret", "bob", Accepted},
		{"Basic", "", "", Needed},
		{"Basic !!!", "", "", Needed},
		{"Basic Ym9iOnNlY3JldA", "bob secret", "bob", Accepted},
		{"BASIC \t " + encoded("bob:secret")[6:] + " x", "bob secret", "bob", Accepted},
		{"Basic " + strings.TrimRight(encoded("bob:secret")[6:], "=") + "!x", "bob secret", "bob", Accepted},
		{"Bearer abc", "", "", Needed},
		{"", "", "", Needed},
		{encoded("odd:answer"), "odd answer", "odd", Refused},
		{encoded("new:dialect"), "new dialect", "new", Accepted},
		{encoded("x:" + strings.Repeat("y", 9000)), "", "x", Refused},
	} {
		t.Run(c.field[:min(len(c.field), 40)], func(t *testing.T) {
			r := newRig(t, nil, "auth_param basic children 1", "bob secret=OK", "al%20ice p:w=ok", "odd answer=maybe", `new dialect=OK message="hello"`)
			l := r.check(c.field, new(Conn))
			if q := r.questions(); l.State != c.state || l.User != c.user || q != c.asked {
				t.Errorf("%d, %q, asked %q; want %d, %q, %q", l.State, l.User, q, c.state, c.user, c.asked)
			}
			if got := strings.Join(r.Challenges(l), "|"); got != `Basic realm="Squid proxy-caching web server"` {
				t.Error(got)
			}
		})
	}
}

func TestBasicOptions(t *testing.T) {
	r := newRig(t, nil, "auth_param basic casesensitive on\nauth_param basic blankpassword on\nauth_param basic realm the realm", "Bob secret=OK", "bob =OK")
	if l := r.check(encoded("Bob:secret"), nil); l.State != Accepted || l.User != "Bob" {
		t.Errorf("%+v", l)
	}
	if l := r.check(encoded("bob:"), nil); l.State != Accepted {
		t.Errorf("%+v", l)
	}
	if got := strings.Join(r.Challenges(new(Login)), "|"); got != `Basic realm="the realm"` {
		t.Error(got)
	}
}

// A login that is right is asked about once in credentialsttl; one that is wrong each time,
// and it makes the user be asked about again.
func TestBasicCache(t *testing.T) {
	memory := NewMemory()
	r := newRig(t, memory, "auth_param basic credentialsttl 10 seconds\nauthenticate_ttl 5 seconds", "bob secret=OK", "bob other=OK")
	for i, step := range []struct {
		after       time.Duration
		login, want string
	}{
		{0, "bob:secret", "bob secret"}, {0, "bob:secret", ""}, {4 * time.Second, "bob:secret", ""}, {4 * time.Second, "bob:secret", ""},
		{2 * time.Second, "bob:secret", "bob secret"}, // credentialsttl is over
		{6 * time.Second, "bob:secret", "bob secret"}, // nobody used it for authenticate_ttl
		{0, "bob:wrong", "bob wrong"}, {0, "bob:wrong", "bob wrong"}, {0, "bob:secret", "bob secret"},
		{0, "bob:other", "bob other"}, {0, "bob:secret", "bob secret"},
	} {
		r.clock = r.clock.Add(step.after)
		r.check(encoded(step.login), nil)
		if got := r.questions(); got != step.want {
			t.Errorf("step %d: asked %q, want %q", i, got, step.want)
		}
	}
	// A reconfigure starts other helpers and forgets nobody.
	again := newRig(t, memory, "auth_param basic children 1")
	again.clock = r.clock
	if l := again.check(encoded("bob:secret"), nil); l.State != Accepted || again.questions() != "" {
		t.Errorf("%+v", l)
	}
}

// Many requests of a user at once are one question.
func TestBasicTogether(t *testing.T) {
	r := newRig(t, nil, "auth_param basic children 3", "bob secret=OK")
	r.check(encoded("x:x"), nil) // the helper runs
	r.questions()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if l := r.check(encoded("bob:secret"), nil); l.State != Accepted {
				t.Errorf("%+v", l)
			}
		})
	}
	wg.Wait()
	if q := r.questions(); q != "bob secret" {
		t.Errorf("asked %q", q)
	}
}

// Users of other names and passwords get nothing of what is known.
func TestBasicKeysDiffer(t *testing.T) {
	m := NewMemory()
	seen := map[key]string{}
	for _, pair := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "bc"}, {"ab", "c"}, {"a\x00", "b"}, {"a", "\x00b"}, {"x", "digest\x00y"}} {
		k := m.key([]byte(pair[0]), []byte(pair[1]))
		if other, twice := seen[k]; twice {
			t.Errorf("%q and %q are one", pair, other)
		}
		seen[k] = fmt.Sprint(pair)
	}
	if NewMemory().key([]byte("a"), []byte("b")) == m.key([]byte("a"), []byte("b")) {
		t.Error("keys mean something to another process")
	}
}

// No log shows a password, whatever helpers say.
func TestNoPasswordInLogs(t *testing.T) {
	r := newRig(t, nil, "auth_param basic children 1\nauth_param digest children 1\nauth_param negotiate children 1", "*=geheim geheim")
	r.check(encoded("bob:geheim"), nil)
	r.check("Negotiate geheim", new(Conn))
	for _, e := range r.logs.All() {
		if line := report.Line(e.Message, e.Context); strings.Contains(line, "geheim") {
			t.Error(line)
		}
	}
	if r.logs.FilterMessageSnippet("not understood").Len() != 1 {
		t.Error("the answer that is not understood is not named")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := NewMemory()
	m.ttl, m.sweep = time.Hour, time.Hour
	now := time.Now()
	for i := range mostUsers + 1000 {
		name := fmt.Sprint(i)
		m.remember(m.key([]byte(name), nil), name, "", now)
	}
	if m.logins.Len() != mostUsers || len(m.latest) != mostUsers {
		t.Errorf("%d logins of %d users", m.logins.Len(), len(m.latest))
	}
	m.recall(key{}, now.Add(2*time.Hour), 0)
	if m.logins.Len() != 0 || len(m.latest) != 0 {
		t.Errorf("%d logins of %d users that nobody uses", m.logins.Len(), len(m.latest))
	}
}
