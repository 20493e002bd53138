package main

import (
	"fmt"
	"io"
	"strings"
)

// introduce says what the stage is, before anything happens on it.
func introduce(out io.Writer, heading string, s *stage) {
	fmt.Fprintf(out, "\n%s\n%s\n\n", heading, strings.Repeat("=", len(heading)))
	if len(s.caches) == 0 {
		return
	}
	c := s.caches[0]
	fmt.Fprintf(out, "squid.conf of cache %v (+ marks lines added to the founding page's):\n%s", c.address, c.conf.show())
	fmt.Fprintf(out, "\nsquid -k setup:\n%s", indent(s.setup))
}

// describe prints the evidence of one fetch.
func (e *evidence) describe(out io.Writer, number int) {
	f := e.fetch
	fmt.Fprintf(out, "\n%d. %s subscriber %v fetches %s at %v\n", number, f.who.name, f.who.address, f.url, f.at)
	say := func(what, format string, args ...any) {
		fmt.Fprintf(out, "   %-22s %s\n", what, fmt.Sprintf(format, args...))
	}
	if f.denied {
		say("subscriber was told", "%s", orNothing(e.page.alert))
	}
	say("origin saw", "%s", address(e.origin.Saw.Addr().IsValid(), e.origin.Saw))
	say("subscriber talked to", "%s", address(e.page.Remote.IsValid(), e.page.Remote))
	say("access.log", "%s", orNothing(e.accessLog))
	if f.routed() {
		say("WCCP", "none: the router routes the web of IPv6 to cache %v, both ways", cacheAddress6)
	} else {
		say("service 80 (requests)", "%s", e.redirection(e.request))
		say("service 90 (answers)", "%s", e.redirection(e.reply))
	}
	if len(e.failures) == 0 {
		fmt.Fprintln(out, "   PASS")
		return
	}
	for _, why := range e.failures {
		fmt.Fprintf(out, "   FAIL: %s\n", why)
	}
}

func (e *evidence) redirection(r event) string {
	if !r.Cache.IsValid() {
		return "not redirected"
	}
	return fmt.Sprintf("router %v, bucket %d, by %s to cache %v, which holds %d buckets",
		routerAddress, r.Bucket, r.By, r.Cache, held(e.groups, r.Service, r.Cache))
}

func address(known bool, a fmt.Stringer) string {
	if !known {
		return "-"
	}
	return a.String()
}

func orNothing(line string) string {
	if line == "" {
		return "(no line)"
	}
	return line
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}
