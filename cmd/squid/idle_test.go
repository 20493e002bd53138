package main

import (
	"strings"
	"syscall"
	"testing"
)

// A file without the effect of which a service would be a danger is accepted by -k
// parse, as 2.6 accepts it, and neither started nor put in force; the operator who
// says so is served.
func TestDangerWithoutEffectIsNotServed(t *testing.T) {
	const peer = "cache_peer 127.0.0.1 parent 443 0 no-query ssl"
	s := newSubject(t)
	s.write(peer)
	if status, _ := s.run("-k", "parse"); status != 0 {
		t.Errorf("-k parse ends with %d", status)
	}
	for _, args := range [][]string{{"-N"}, {}, {"-k", "check-config"}} {
		if status, out := s.run(args...); status == 0 || !strings.Contains(out, "cache_peer ssl") {
			t.Errorf("%q: status %d\n%s", args, status, out)
		}
	}
	s.write()
	cmd := s.start()
	s.write(peer)
	cmd.Process.Signal(syscall.SIGHUP)
	s.until("the refusal", func() bool {
		return strings.Contains(s.read("cache.log"), "configuration not changed: ") && strings.Contains(s.read("cache.log"), "cache_peer ssl")
	})
	s.write(peer, "accept_without_effect cache_peer:ssl", "mail_program mail")
	for range 2 { // what is named once is not named again
		before := strings.Count(s.read("cache.log"), "Ready to serve requests")
		cmd.Process.Signal(syscall.SIGHUP)
		s.until("the reconfigure", func() bool { return strings.Count(s.read("cache.log"), "Ready to serve requests") > before })
	}
	if n := strings.Count(s.read("cache.log"), "mail_program has no effect"); n != 1 {
		t.Errorf("mail_program is named %d times", n)
	}
}
