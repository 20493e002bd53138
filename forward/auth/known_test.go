package auth

import (
	"context"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Credentials a connection has shown are not asked about again as long as they count,
// and nothing else passes for them.
func TestKnownCredentials(t *testing.T) {
	r := newRig(t, nil, "auth_param basic children 1\nauth_param basic credentialsttl 60 seconds", "bob secret=OK", "ann secret=OK")
	conn := new(Conn)
	ask := func(field, user string, state State, asked string) {
		t.Helper()
		l := r.check(field, conn)
		if q := r.questions(); l.State != state || l.User != user || q != asked {
			t.Errorf("%d, %q, asked %q; want %d, %q, %q", l.State, l.User, q, state, user, asked)
		}
	}
	bob, ann := encoded("bob:secret"), encoded("ann:secret")
	ask(bob, "bob", Accepted, "bob secret")
	ask(bob, "bob", Accepted, "") // from the memory
	ask(bob, "bob", Accepted, "") // from the connection
	ask(ann, "ann", Accepted, "ann secret")
	ask(bob, "bob", Accepted, "")
	ask(encoded("bob:secreT"), "bob", Refused, "bob secreT")
	ask(bob, "bob", Accepted, "bob secret") // somebody failed with that name
	ask(bob, "bob", Accepted, "")
	for range 30 { // kept in use all the time, up to its end
		r.clock = r.clock.Add(2 * time.Second)
		if l := r.check(bob, conn); l.State != Accepted {
			t.Fatalf("%+v", l)
		}
	}
	if q := r.questions(); q != "bob secret" {
		t.Errorf("asked %q in the minute of credentialsttl, want one question at its end", q)
	}
}

// What one configuration found out does not count in the next.
func TestKnownOfConfiguration(t *testing.T) {
	now, memory := time.Now(), NewMemory()
	one, two := &basic{cfg: basicConfig, memory: memory}, &basic{cfg: &conf.AuthScheme{}, memory: memory}
	c, l := new(Conn), &login{user: "bob", checked: now}
	c.remember(one, []byte("x"), l, now)
	if c.recall(one, []byte("x"), now) != l || c.recall(two, []byte("x"), now) != nil || c.recall(one, []byte("y"), now) != nil {
		t.Error("mixed up")
	}
	if c.recall(one, []byte("x"), now.Add(knownFor)) != nil {
		t.Error("kept too long")
	}
}

func TestKnownDoesNotAllocate(t *testing.T) {
	memory := NewMemory()
	a := &Authenticator{memory: memory, now: time.Now, schemes: []scheme{&basic{cfg: basicConfig, memory: memory, now: time.Now,
		ask: func(context.Context, []byte) (string, error) { return "OK", nil }}}}
	q := Request{Field: []byte("Basic Ym9iOnNlY3JldA=="), Conn: new(Conn)}
	check := func() {
		var l Login
		if a.Check(context.Background(), &l, q); l.State != Accepted {
			t.Fatal(l)
		}
	}
	check()
	check()
	if n := testing.AllocsPerRun(100, check); n > 1 { // the Login of this test
		t.Errorf("%v allocations", n)
	}
}
