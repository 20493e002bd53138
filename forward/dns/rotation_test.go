package dns

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"
)

// Servers that answer differently, each time they are asked. Letters are what
// comes of one question: a an address, x no such name, f server failure, r refused,
// n not implemented, s silence, e an error at once.
func TestServersTakeTurns(t *testing.T) {
	for name, c := range map[string]struct {
		servers int
		says    string // by question; the last goes on
		log     string
		kind    Kind
	}{
		"failure, then an address":            {3, "fa", "0s:1:a.test 0s:2:a.test", 0},
		"refused, then an address":            {3, "ra", "0s:1:a.test 0s:2:a.test", 0},
		"refused by all but the last":         {3, "rra", "0s:1:a.test 0s:2:a.test 0s:3:a.test", 0},
		"refused by the only one":             {1, "ra", "0s:1:a.test", Refused},
		"a failure does not count as refused": {2, "rfa", "0s:1:a.test 0s:2:a.test 0s:1:a.test", 0},
		"failures add up over servers":        {3, "frffa", "0s:1:a.test 0s:2:a.test 0s:3:a.test 0s:1:a.test", ServerFailure},
		"silence between failures":            {2, "fsfa", "0s:1:a.test 0s:2:a.test 5s:1:a.test 5s:2:a.test", 0},
		"no such name needs no second word":   {3, "sxa", "0s:1:a.test 5s:2:a.test", NotFound},
		"not implemented neither":             {3, "ena", "0s:1:a.test 0s:2:a.test", ServerFailure},
		"errors at once wait in the second round": {2, "eeeea",
			"0s:1:a.test 0s:2:a.test 0s:1:a.test 10s:2:a.test 20s:1:a.test", 0},
		"the first answers when asked again": {2, "ssa", "0s:1:a.test 5s:2:a.test 10s:1:a.test", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net, a := says(c.servers, c.says)
				_, err := a.ask(t.Context(), question{"a.test", dnsmessage.TypeA})
				var failed *Error
				errors.As(err, &failed)
				if c.kind == 0 && err != nil || c.kind != 0 && (failed == nil || failed.Kind != c.kind) {
					t.Errorf("error %v, want kind %v", err, c.kind)
				}
				if got := net.String(); got != c.log {
					t.Errorf("asked\n%s\nwant\n%s", got, c.log)
				}
			})
		})
	}
}

// says makes an asker whose servers answer as the letters have it.
func says(count int, letters string) (*script, *asker) {
	o := Options{Servers: servers(count)}.withDefaults()
	next := 0
	net := &script{answer: func(int, question) (reply, error) {
		c := letters[min(next, len(letters)-1)]
		next++
		switch c {
		case 'a':
			return with("192.0.2.9")
		case 'x':
			return code(dnsmessage.RCodeNameError)
		case 'f':
			return code(dnsmessage.RCodeServerFailure)
		case 'r':
			return code(dnsmessage.RCodeRefused)
		case 'n':
			return code(dnsmessage.RCodeNotImplemented)
		case 's':
			return reply{}, errSilent
		}
		return reply{}, errors.New("connection refused")
	}}
	return net, newAsker(&o, net)
}

// Whatever servers do, a question ends in time, takes them in turn, hammers none of
// them, and its outcome is that of the answers given.
func TestAskModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(rt *rapid.T) { // without t's Deadline: a bubble has none
			n := rapid.IntRange(1, 4).Draw(rt, "servers")
			letters := rapid.StringMatching(`[axfrnse]{1,12}`).Draw(rt, "letters")
			net, a := says(n, letters)
			begun := time.Now()
			_, err := a.ask(t.Context(), question{"a.test", dnsmessage.TypeA})
			if took := time.Since(begun); took > a.timeout {
				rt.Fatalf("took %v", took)
			}
			if len(net.log) > 40 {
				rt.Fatalf("asked %d times", len(net.log))
			}
			// What the letters come to, read one after the other.
			want, failures, refused := TimedOut, 0, 0
			for i := range net.log {
				switch letters[min(i, len(letters)-1)] {
				case 'a':
					want = 0
				case 'x':
					want = NotFound
				case 'n':
					want = ServerFailure
				case 'f':
					if failures++; failures == failureTries {
						want = ServerFailure
					}
				case 'r':
					if refused++; refused == n {
						want = Refused
					}
				}
				if want != TimedOut && i != len(net.log)-1 {
					rt.Fatalf("asked on after %q was settled: %v", letters[:i+1], net.log)
				}
			}
			for i := range a.counts {
				if turns := (len(net.log) - i + n - 1) / n; int(a.counts[i].queries.Load()) != turns {
					rt.Fatalf("server %d was asked %d times of %d", i, a.counts[i].queries.Load(), len(net.log))
				}
			}
			var failed *Error
			if errors.As(err, &failed); want == 0 && err != nil || want != 0 && (failed == nil || failed.Kind != want) {
				rt.Fatalf("%v, want kind %v after %v", err, want, net.log)
			}
		})
	})
}
