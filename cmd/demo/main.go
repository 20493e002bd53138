package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == withEtc {
		fmt.Fprintln(os.Stderr, "demo:", runWithEtc(os.Args[2:]))
		os.Exit(127)
	}
	var p programs
	flag.StringVar(&p.squid, "squid", "bin/squid", "the proxy")
	flag.StringVar(&p.routersim, "routersim", "bin/routersim", "the router")
	only := flag.String("only", "recommended,user,more", "the networks to build")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	passed, total, err := demonstrate(ctx, os.Stdout, p, strings.Split(*only, ","))
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		fmt.Println("\nFAIL: interrupted; the namespaces are removed")
	case err != nil:
		fmt.Printf("\nFAIL: %v\n", err)
	case passed < total || total == 0:
		fmt.Printf("\nFAIL: %d of %d fetches passed\n", passed, total)
	default:
		fmt.Printf("\nPASS: %d of %d fetches\n", passed, total)
		return
	}
	os.Exit(1)
}

// scene is one of the configurations to show.
type scene struct {
	title, heading, fragment string
	fetches                  func(*network) []fetch
	stage                    *stage
	err                      error
}

// chosen are the scenes that words name, in the order they are shown.
func chosen(words []string) ([]*scene, error) {
	scenes := []*scene{
		{title: "recommended", heading: "The recommended configuration", fragment: recommendedFragment, fetches: fetches},
		{title: "user", heading: "The user's configuration", fragment: userFragment, fetches: fetches},
		{title: "more", heading: "The recommended configuration, with port 443, and its cache", fragment: tlsFragment, fetches: moreFetches},
	}
	for _, word := range words {
		if !slices.ContainsFunc(scenes, func(s *scene) bool { return s.title == word }) {
			return nil, fmt.Errorf("-only %s: there is no such network", word)
		}
	}
	return slices.DeleteFunc(scenes, func(s *scene) bool { return !slices.Contains(words, s.title) }), nil
}

// picture is what is built for each configuration.
const picture = `Building three networks out of network namespaces, one for each configuration:

  adsl subscriber 10.100.0.10 ----+                     +---- origins 192.0.2.x
                                  +---- [ router ] -----+
  dialup subscriber 10.101.0.10 --+         |           +---- name server
  fibre subscriber 2001:db8:100::10         |
                                     cache 10.102.0.2

The router (bin/routersim) sends requests (service 80) and answers (service 90) to
the cache (bin/squid) in GRE. The cache speaks to origins with the subscribers'
addresses and to subscribers with the origins'. The router speaks WCCP for IPv4; the
web of the fibre subscriber, who has IPv6, it sends to the cache by policy routing.

`

// demonstrate builds all networks at once, since most of the time goes by waiting
// for the protocol's timers, and then shows them one after the other.
func demonstrate(ctx context.Context, out io.Writer, p programs, only []string) (passed, total int, err error) {
	scenes, err := chosen(only)
	if err != nil {
		return 0, 0, err
	}
	if p, err = p.found(); err != nil {
		return 0, 0, err
	}
	directory, err := os.MkdirTemp("", "cuttle-demo-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(directory)
	// squid looks for its files as another user.
	if err := os.Chmod(directory, 0o755); err != nil {
		return 0, 0, err
	}
	lab, err := netlab.New("cuttledemo")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()

	fmt.Fprint(out, picture)
	for _, s := range scenes {
		s.stage, s.err = buildStage(lab, s.title, directory, s.fragment, 1, p)
	}
	defer closeAll(scenes)
	fmt.Fprintln(out, "Waiting for routers and caches: a cache says HERE_I_AM every 10 s, is listed at its\nsecond, and divides the buckets 15 s later; about 26 s in all.")
	await(ctx, scenes)

	for _, s := range scenes {
		introduce(out, s.heading, s.stage)
		if s.err != nil {
			return passed, total, fmt.Errorf("%s: %w", s.heading, s.err)
		}
		for i, f := range s.fetches(s.stage.network) {
			if ctx.Err() != nil {
				return passed, total, ctx.Err()
			}
			e := s.stage.examine(ctx, f)
			e.describe(out, i+1)
			total++
			if len(e.failures) == 0 {
				passed++
			}
		}
	}
	return passed, total, nil
}

// found makes the programs' paths absolute, for they are run from elsewhere, and
// misses those that are not there before anything is built.
func (p programs) found() (programs, error) {
	for _, path := range []*string{&p.squid, &p.routersim} {
		if _, err := os.Stat(*path); err != nil {
			return p, fmt.Errorf("%w; `make demo` builds it", err)
		}
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return p, err
		}
		*path = absolute
	}
	if _, err := exec.LookPath("curl"); err != nil {
		return p, fmt.Errorf("subscribers need curl: %w", err)
	}
	return p, nil
}

// await waits for all scenes that started.
func await(ctx context.Context, scenes []*scene) {
	var all sync.WaitGroup
	for _, s := range scenes {
		if s.err == nil {
			all.Go(func() { s.err = s.stage.ready(ctx) })
		}
	}
	all.Wait()
}

// longPage is more than any window holds, so that full packets come through GRE.
const longPage = 1 << 20

// closeAll ends all scenes at once; it waits for what has to be taken back.
func closeAll(scenes []*scene) {
	var all sync.WaitGroup
	for _, s := range scenes {
		all.Go(func() {
			if err := s.stage.close(); err != nil {
				fmt.Fprintf(os.Stderr, "demo: %s: %v\n", s.heading, err)
			}
		})
	}
	all.Wait()
}

// fetches are the pages shown: both subscribers, each site, each address of the site
// that has several, and one page too long for the GRE tunnel to carry in whole packets.
func fetches(n *network) []fetch {
	www, news, mirror := names["www.example.net."][0], names["news.example.org."][0], names["mirror.example.com."]
	list := []fetch{
		{who: n.adsl, url: "http://www.example.net/adsl", at: www},
		{who: n.dialup, url: "http://www.example.net/dialup", at: www},
		{who: n.adsl, url: fmt.Sprintf("http://news.example.org/archive/%d", longPage), at: news, octets: longPage},
	}
	for i, address := range mirror {
		list = append(list, fetch{who: n.dialup, url: fmt.Sprintf("http://mirror.example.com/disk%c", 'a'+i), at: address})
	}
	return list
}

// moreFetches are a page that both subscribers ask for, the second of whom gets it from
// memory (another page of the site comes first, by a connection of its own: stored is only
// what was asked for when DNS had already tied the name to the address), one through
// TLS that is passed on, a long one, one of a name that http_access denies, and one of
// each kind by IPv6.
func moreFetches(n *network) []fetch {
	www, www6, news := names["www.example.net."][0], names["www.example.net."][1], names["news.example.org."][0]
	return []fetch{
		{who: n.dialup, url: "http://www.example.net/dialup", at: www},
		{who: n.adsl, url: "http://www.example.net/shared", at: www},
		{who: n.dialup, url: "http://www.example.net/shared", at: www, stored: true},
		{who: n.adsl, url: "https://www.example.net/adsl", at: www},
		{who: n.dialup, url: fmt.Sprintf("https://www.example.net/archive/%d", longPage), at: www, octets: longPage},
		{who: n.dialup, url: "https://news.example.org/denied", at: news, denied: true},
		{who: n.fibre, url: "http://www.example.net/fibre", at: www6},
		{who: n.fibre, url: "https://www.example.net/fibre", at: www6},
	}
}
