package main

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
)

// service is something that a helper program does for each request.
type service struct {
	title  string
	suffix string // to the name of who has it
	lines  string // of squid.conf, in front of the others; %s is the helper's program
	helper string
	fields string // of the requests
}

// The helpers cost next to nothing: cat(1) gives every line back as it is, a channel's
// number in front too, and the only user is asked about once an hour.
var services = map[string]service{
	"rewrite": {
		title: "each URL shown to a rewriter", suffix: ", rewriter", helper: "/bin/cat",
		lines: "url_rewrite_program %s\nurl_rewrite_children 5\n",
	},
	"channels": {
		title: "each URL shown to a rewriter that takes several at a time", suffix: ", rewriter", helper: "/bin/cat",
		lines: "url_rewrite_program %s\nurl_rewrite_children 5\nurl_rewrite_concurrency 16\n",
	},
	"login": {
		title: "each with a login that is known", suffix: ", login", helper: "/bin/sed",
		lines: "auth_param basic program %s -u s/.*/OK/\nauth_param basic children 5\nauth_param basic realm bench\n" +
			"auth_param basic credentialsttl 1 hour\nacl users proxy_auth REQUIRED\nhttp_access deny !users\n",
		fields: "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("somebody:secret")) + "\r\n",
	},
}

// helped prints what a service adds to a small request, beside the same proxy without
// it. The helpers' own processor time is left out.
func (c *choices) helped(o *origin, list []contender, what string) {
	s := services[what]
	fmt.Printf("%d-octet object, not cached, %d kept connections, %s, access log on, %d rounds of %v each\n",
		smallSize, c.concurrency, s.title, c.rounds, c.slice)
	var both []contender
	for _, who := range list {
		if who.forward {
			both = append(both, who, s.given(who))
		}
	}
	t := c.loaded(both, func(who contender) (*running, []*crowd, error) {
		r, err := who.start(o, noCache)
		if err != nil {
			return nil, nil, err
		}
		request := requestFor(r, "/small")
		if strings.HasSuffix(who.name, s.suffix) {
			request = append(request[:len(request)-2], s.fields+"\r\n"...)
		}
		g := &crowd{r: r, name: r.name}
		g, err = g.gather(c.concurrency, func() func() []byte { return func() []byte { return request } })
		return r, []*crowd{g}, err
	})
	t.added(func(name string) string { return strings.TrimSuffix(name, s.suffix) }).print()
}

// given is a contender with the service.
func (s service) given(who contender) contender {
	plain := who.conf
	who.conf = func(dir string, p ports) string { return fmt.Sprintf(s.lines, s.helper) + plain(dir, p) }
	who.name += s.suffix
	who.uncounted, _ = filepath.EvalSymlinks(s.helper)
	return who
}
