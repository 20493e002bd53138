package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// script is a fake network: it answers questions as told and writes down when
// which server was asked for what.
type script struct {
	mu     sync.Mutex
	begun  time.Time
	log    []string
	answer func(server int, q question) (reply, error)
}

var errSilent = errors.New("silence")

func (s *script) exchange(ctx context.Context, server netip.AddrPort, q question) (reply, error) {
	s.mu.Lock()
	if s.begun.IsZero() {
		s.begun = time.Now()
	}
	number := int(server.Addr().As4()[3])
	s.log = append(s.log, fmt.Sprintf("%v:%d:%s", time.Since(s.begun), number, q.name))
	s.mu.Unlock()
	r, err := s.answer(number, q)
	if err == errSilent {
		<-ctx.Done()
	}
	return r, err
}

func (s *script) String() string { return strings.Join(s.log, " ") }

func servers(n int) (list []netip.AddrPort) {
	for i := range n {
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}), 53))
	}
	return list
}

func with(addrs ...string) (reply, error) {
	r := reply{ttl: time.Hour}
	for _, a := range addrs {
		r.addrs = append(r.addrs, netip.MustParseAddr(a))
	}
	return r, nil
}

func code(rcode dnsmessage.RCode) (reply, error) { return reply{rcode: rcode}, nil }

func TestAsk(t *testing.T) {
	for name, c := range map[string]struct {
		servers int
		search  []string
		dots    int
		ask     string
		answer  func(server int, q question) (reply, error)
		log     string
		kind    Kind // 0: an address
	}{
		"first try": {1, nil, 1, "a.test", func(int, question) (reply, error) { return with("192.0.2.9") }, "0s:1:a.test", 0},
		"silence: the interval doubles once all were asked": {2, nil, 1, "a.test",
			func(int, question) (reply, error) { return reply{}, errSilent },
			"0s:1:a.test 5s:2:a.test 10s:1:a.test 20s:2:a.test 30s:1:a.test 50s:2:a.test 1m10s:1:a.test 1m50s:2:a.test", TimedOut},
		"second server answers": {2, nil, 1, "a.test", func(server int, _ question) (reply, error) {
			if server == 1 {
				return reply{}, errSilent
			}
			return with("192.0.2.9")
		}, "0s:1:a.test 5s:2:a.test", 0},
		"a refused connection does not wait for the next server": {2, nil, 1, "a.test", func(server int, _ question) (reply, error) {
			if server == 1 {
				return reply{}, errors.New("connection refused")
			}
			return with("192.0.2.9")
		}, "0s:1:a.test 0s:2:a.test", 0},
		"one dead server is not hammered": {1, nil, 1, "a.test",
			func(int, question) (reply, error) { return reply{}, errors.New("connection refused") },
			"0s:1:a.test 5s:1:a.test 15s:1:a.test 35s:1:a.test 1m15s:1:a.test", TimedOut},
		"server failure is tried three times": {2, nil, 1, "a.test",
			func(int, question) (reply, error) { return code(dnsmessage.RCodeServerFailure) },
			"0s:1:a.test 0s:2:a.test 0s:1:a.test", ServerFailure},
		"refused by all": {2, nil, 1, "a.test", func(int, question) (reply, error) { return code(dnsmessage.RCodeRefused) },
			"0s:1:a.test 0s:2:a.test", Refused},
		"other code": {2, nil, 1, "a.test", func(int, question) (reply, error) { return code(dnsmessage.RCodeNotImplemented) },
			"0s:1:a.test", ServerFailure},
		"no search list": {1, nil, 1, "a", func(int, question) (reply, error) { return code(dnsmessage.RCodeNameError) },
			"0s:1:a", NotFound},
		"few dots: the list first": {1, []string{"x.test", "y.test"}, 1, "a",
			func(_ int, q question) (reply, error) {
				if q.name == "a.y.test" {
					return with("192.0.2.9")
				}
				return code(dnsmessage.RCodeNameError)
			}, "0s:1:a.x.test 0s:1:a.y.test", 0},
		"few dots: the bare name last": {1, []string{"x.test"}, 2, "a.b",
			func(int, question) (reply, error) { return code(dnsmessage.RCodeNameError) }, "0s:1:a.b.x.test 0s:1:a.b", NotFound},
		"enough dots: the bare name first": {1, []string{"x.test"}, 1, "a.b",
			func(int, question) (reply, error) { return code(dnsmessage.RCodeNameError) }, "0s:1:a.b 0s:1:a.b.x.test", NotFound},
		"a failure ends the search": {1, []string{"x.test"}, 1, "a",
			func(int, question) (reply, error) { return code(dnsmessage.RCodeRefused) }, "0s:1:a.x.test", Refused},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := &script{answer: c.answer}
				o := Options{Servers: servers(c.servers), Search: c.search, Dots: c.dots}.withDefaults()
				_, err := newAsker(&o, net).ask(t.Context(), question{c.ask, dnsmessage.TypeA})
				var failed *Error
				errors.As(err, &failed)
				if c.kind == 0 && err != nil || c.kind != 0 && (failed == nil || failed.Kind != c.kind || failed.Name != c.ask) {
					t.Errorf("error %v, want kind %v", err, c.kind)
				}
				if got := net.String(); got != c.log {
					t.Errorf("asked\n%s\nwant\n%s", got, c.log)
				}
			})
		})
	}
}
