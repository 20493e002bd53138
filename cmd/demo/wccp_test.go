package main

import (
	"context"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dissect"
)

// secretFragment is the recommended one with passwords.
var secretFragment = strings.NewReplacer(
	"wccp2_service dynamic 80\n", "wccp2_service dynamic 80 password=secret\n",
	"wccp2_service dynamic 90\n", "wccp2_service dynamic 90 password=secret\n",
).Replace(recommendedFragment)

// layer2Fragment is the user's one with frames instead of GRE, both ways.
var layer2Fragment = strings.NewReplacer(
	"wccp2_forwarding_method 1", "wccp2_forwarding_method 2",
	"wccp2_return_method 1", "wccp2_return_method 2",
).Replace(userFragment)

// version1Fragment is a cache of version 1: one router, and the web's port alone.
// The origin sees the cache, since nothing would bring answers to anybody else back to it.
var version1Fragment = "http_port 3128 transparent\nwccp_router " + routerAddress.String() + "\n"

// act is a play on a stage with two caches. Stages start together, since the
// protocol's own timers take most of the time.
type act struct {
	name       string
	fragment   string
	routerArgs []string
	unready    bool // the caches do not join at first
	play       func(t *testing.T, s *stage)
}

// The whole of WCCP on real binaries: bin/squid twice, bin/routersim, and subscribers
// of whom one hashes to the one cache and one to the other.
func TestTwoCaches(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes of the protocol's timers")
	}
	t.Parallel()
	lab := netlab.ForTest(t)
	directory := shortDirectory(t)
	p := programs{squid: built(t, "squid"), routersim: built(t, "routersim")}
	acts := []act{
		{name: "stopped", fragment: recommendedFragment + "shutdown_lifetime 5 seconds\n", play: oneCacheIsStopped},
		{name: "killed", fragment: recommendedFragment, play: oneCacheIsKilled},
		{name: "restart", fragment: userFragment, play: theRouterRestarts},
		{name: "layer2", fragment: layer2Fragment, play: pagesComeBy("l2")},
		{name: "mask", fragment: recommendedFragment + "wccp2_assignment_method 2\n", play: pagesComeBy("gre")},
		{
			name: "version1", fragment: version1Fragment, unready: true, play: pagesComeByVersion1,
			routerArgs: []string{
				"-command", "ip wccp version 1",
				"-command", "interface adsl0", "-command", "ip wccp web-cache redirect in",
				"-command", "interface dialup0", "-command", "ip wccp web-cache redirect in",
			},
		},
		{
			name: "password", fragment: secretFragment, unready: true, play: theRouterHasAWrongPassword,
			routerArgs: []string{"-command", "ip wccp 80 password secret", "-command", "ip wccp 90 password secret", "-faults", "wrong_password"},
		},
	}
	stages, fetches := make([]*stage, len(acts)), make([][]*underway, len(acts))
	t.Cleanup(func() { closeStages(stages) })
	for i, a := range acts {
		var err error
		stages[i], err = buildStage(lab, a.name, directory, a.fragment, 2, p, append([]string{"-datagrams"}, a.routerArgs...)...)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		if !a.unready {
			fetches[i] = beginAll(t, stages[i])
		}
	}
	var all sync.WaitGroup
	errs := make([]error, len(acts))
	for i, a := range acts {
		if !a.unready {
			all.Go(func() { errs[i] = stages[i].ready(context.Background()) })
		}
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	// Not by t.Parallel, which allows as many at a time as there are processors:
	// acts wait more than they work.
	for i, a := range acts {
		all.Go(func() { t.Run(a.name, func(t *testing.T) { a.play(t, stages[i]); finishAll(t, fetches[i]) }) })
	}
	all.Wait()
	t.Run("dissected", func(t *testing.T) { dissectStages(t, stages) })
}

func closeStages(stages []*stage) {
	var all sync.WaitGroup
	for _, s := range stages {
		if s != nil {
			all.Go(func() { s.close() })
		}
	}
	all.Wait()
}

// awaitEvent waits for an event of the router, or fails.
func awaitEvent(t *testing.T, s *stage, from int, limit time.Duration, what string, fits func(event) bool) event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	e, found := s.router.log.await(ctx, from, fits)
	if !found {
		t.Fatalf("not within %v: %s\n%s", limit, what, s.caches[0].lastWords())
	}
	return e
}

// allTo tells that a cache is given every bucket of a service.
func allTo(service string, cache netip.Addr) func(event) bool {
	return func(e event) bool {
		return e.Name == "assigned" && e.Service == service && shareOf(e, cache) == 256
	}
}

// splitTraffic starts both subscribers and makes sure that each uses a cache of its own.
func splitTraffic(t *testing.T, s *stage) (adsl, dialup *traffic) {
	t.Helper()
	one, other := newTraffic(s.network.adsl).visit(), newTraffic(s.network.dialup).visit()
	if one.err != nil || other.err != nil || one.cache == "" || other.cache == "" || one.cache == other.cache {
		t.Fatalf("adsl: %q %v; dialup: %q %v; want a cache each", one.cache, one.err, other.cache, other.err)
	}
	return startTraffic(s.network.adsl), startTraffic(s.network.dialup)
}

// cacheOf is the cache that a subscriber's buckets lead to.
func cacheOf(t *testing.T, s *stage, who subscriber) (his, others *cache) {
	t.Helper()
	name := newTraffic(who).visit().cache
	for i, c := range s.caches {
		if visibleHostname(c.address) == name {
			return c, s.caches[1-i]
		}
	}
	t.Fatalf("%s is served by %q", who.name, name)
	return nil, nil
}

func squidPID(t *testing.T, c *cache) int {
	t.Helper()
	return c.process.Cmd.Process.Pid // squid -N, which the wrapper became
}

// awaitShown waits until every cache has been shown its buckets; `squid -k wccp` tells.
func awaitShown(t *testing.T, s *stage) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(joinTime); ; <-tick.C {
		shown, last := 0, ""
		for _, c := range s.caches {
			out, err := c.run("-k", "wccp", "--json", "-f", c.confPath())
			if err != nil {
				t.Fatal(err)
			}
			shown += strings.Count(out, `"buckets": 128`) + strings.Count(out, `"buckets":128`)
			last = out
		}
		if shown == 2*len(s.caches) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the caches do not know of their buckets; squid -k wccp:\n%s", last)
		}
	}
}

// leaveTime is wccp2_shutdown_wait and 2.6's shutdown_lifetime, and room.
const leaveTime = 75 * time.Second

func oneCacheIsStopped(t *testing.T, s *stage) {
	leaver, stayer := cacheOf(t, s, s.network.dialup)
	adsl, dialup := splitTraffic(t, s)
	awaitShown(t, s)
	byStayer, byLeaver := beginBy(t, s.network.adsl, stayer), beginBy(t, s.network.dialup, leaver)
	from := s.router.log.length()
	syscall.Kill(squidPID(t, leaver), syscall.SIGTERM)
	for _, service := range []string{requestService, replyService} {
		awaitEvent(t, s, from, leaveTime, "all buckets of "+service+" go to the cache that stays", allTo(service, stayer.address))
	}
	endsAtOnce(t, byLeaver)
	finishAll(t, []*underway{byStayer})
	select {
	case <-leaver.process.Done():
	case <-time.After(leaveTime):
		t.Errorf("squid did not end\n%s", leaver.lastWords())
	}
	leftInOrder(t, leaver)
	last := newTraffic(s.network.dialup).visit()
	if last.err != nil || last.cache != visibleHostname(stayer.address) {
		t.Errorf("afterwards: %q %v", last.cache, last.err)
	}
	moves, broken := movesSince(s, from), 0
	for _, subscriber := range []*traffic{adsl, dialup} {
		visits := subscriber.end()
		for _, v := range failures(visits) {
			if !v.brokenOff(moves) {
				t.Errorf("%s: a fetch failed with %v\n%s", subscriber.who.name, v.err, leaver.lastWords())
			}
			broken++
		}
		t.Logf("%s: %d fetches", subscriber.who.name, len(visits))
	}
	if running := transfersRunning(t, leaver); broken > running {
		t.Errorf("%d fetches broke when buckets moved, cache.log counts %d", broken, running)
	}
}

// leftInOrder holds cache.log to the order of a graceful end: the routers are
// left, what moved and what still ran is counted, and only then 2.6's shutdown begins.
func leftInOrder(t *testing.T, c *cache) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.directory, "cache.log"))
	if err != nil {
		t.Fatal(err)
	}
	order := regexp.MustCompile(`(?s)WCCP: leaving the service groups before the shutdown.*` +
		`WCCP: buckets moved away: 128 of dynamic/[89]0, 128 of dynamic/[89]0; \d+ transfers were running.*` +
		`WCCP: left after \d+ seconds, \d+ transfers still running.*` +
		`Preparing for shutdown after \d+ requests`)
	if !order.Match(text) {
		t.Errorf("cache.log of the cache that left:\n%s", text)
	}
}

// movesSince lists when the router gave buckets to another cache.
func movesSince(s *stage, from int) (moves []time.Time) {
	s.router.log.find(from, func(e event) bool {
		if e.Name == "assigned" {
			moves = append(moves, e.Time)
		}
		return false
	})
	return moves
}

// transfersRunning adds up the transfers that cache.log says were running when
// buckets moved away.
func transfersRunning(t *testing.T, c *cache) (sum int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.directory, "cache.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`buckets moved away: .*; (\d+) transfers were running`).FindAllSubmatch(text, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		sum += n
	}
	return sum
}

// timeOut is when a router has dropped a dead cache: three intervals after its last word.
const timeOut = 30*time.Second + 5*time.Second

func oneCacheIsKilled(t *testing.T, s *stage) {
	victim, survivor := cacheOf(t, s, s.network.dialup)
	adsl, dialup := splitTraffic(t, s)
	from, killed := s.router.log.length(), time.Now()
	syscall.Kill(squidPID(t, victim), syscall.SIGKILL)
	for _, service := range []string{requestService, replyService} {
		awaitEvent(t, s, from, timeOut, "the router drops the cache from "+service, func(e event) bool {
			return e.Name == "cache left" && e.Service == service && e.Cache == victim.address
		})
	}
	recovered := time.Now()
	for _, service := range []string{requestService, replyService} {
		awaitEvent(t, s, from, leaveTime, "the survivor gets all buckets of "+service, allTo(service, survivor.address))
	}
	last := newTraffic(s.network.dialup).visit()
	if last.err != nil || last.cache != visibleHostname(survivor.address) {
		t.Errorf("afterwards: %q %v", last.cache, last.err)
	}
	if failed := failures(adsl.end()); len(failed) > 0 {
		t.Errorf("the other cache's subscriber: %d fetches failed, the first with %v", len(failed), failed[0].err)
	}
	late, moves := 0, movesSince(s, from)
	visits := dialup.end()
	for _, v := range failures(visits) {
		if v.at.After(recovered) && !v.brokenOff(moves) {
			late++
			t.Logf("failed %v after the kill: %v", v.at.Sub(killed), v.err)
		}
	}
	if late > 0 {
		t.Errorf("%d fetches begun after the router dropped the cache failed", late)
	}
	t.Logf("the victim's subscriber: %d of %d fetches failed, all begun within %v", len(failures(visits)), len(visits), recovered.Sub(killed))
}

func theRouterHasAWrongPassword(t *testing.T, s *stage) {
	isLogged := func() bool {
		text, _ := os.ReadFile(filepath.Join(s.caches[0].directory, "cache.log"))
		return strings.Contains(string(text), "failed authentication")
	}
	answers := make(map[string]bool) // by their octets, since waiting looks again from the start
	awaitEvent(t, s, 0, joinTime, "answers with the wrong password", func(e event) bool {
		if e.Name == "sent" && e.Message == "I_SEE_YOU" {
			answers[e.Hex] = true
		}
		return len(answers) > 2*len(s.caches)
	})
	if !isLogged() {
		t.Errorf("cache.log does not tell of the wrong password:\n%s", s.caches[0].lastWords())
	}
	if joined, any := s.router.log.find(0, func(e event) bool { return e.Name == "cache joined" }); any {
		t.Errorf("cache %v joined", joined.Cache)
	}
	if v := newTraffic(s.network.adsl).visit(); v.err != nil || v.cache != "" {
		t.Errorf("without a cache: %q %v", v.cache, v.err)
	}
	if err := s.router.order(nil, "faults"); err != nil {
		t.Fatal(err)
	}
	if err := s.ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	adsl, dialup := splitTraffic(t, s)
	if failed := append(failures(adsl.end()), failures(dialup.end())...); len(failed) > 0 {
		t.Error(failed[0].err)
	}
}

// pagesComeBy holds every fetch of the demo to the demo's own judgement, and the
// forwarding method to what was configured.
func pagesComeBy(method string) func(*testing.T, *stage) {
	return func(t *testing.T, s *stage) {
		for i, f := range fetches(s.network) {
			e := s.examine(context.Background(), f)
			if e.request.By != method || e.reply.By != method {
				e.fail("redirected by %q and %q, want %q", e.request.By, e.reply.By, method)
			}
			if len(e.failures) > 0 {
				var report strings.Builder
				e.describe(&report, i+1)
				t.Errorf("%s\n%s", report.String(), s.caches[0].lastWords())
			}
		}
	}
}

// pagesComeByVersion1 lets the protocol's first version divide the web among both
// caches, and a page come from a cache through GRE as that version has it.
func pagesComeByVersion1(t *testing.T, s *stage) {
	awaitEvent(t, s, 0, joinTime, "half of the buckets for each cache", func(e event) bool {
		return e.Name == "assigned" && shareOf(e, s.caches[0].address) == 128 && shareOf(e, s.caches[1].address) == 128
	})
	for _, f := range fetches(s.network) {
		from := s.router.log.length()
		p, err := s.network.get(context.Background(), f)
		var said testimony
		if err != nil || p.Code != 200 || said.read(p.body) != nil || p.Octets < f.octets {
			t.Errorf("%s for %s: %d, %d octets, %v\n%s", f.url, f.who.name, p.Code, p.Octets, err, s.caches[0].lastWords())
			continue
		}
		sent := awaitEvent(t, s, from, settleTime, "the redirection of "+f.url, func(e event) bool {
			return e.Name == "redirected" && e.Service == "standard/0" && e.Source == netip.AddrPortFrom(f.who.address, p.Port)
		})
		if sent.By != "gre" || said.Saw.Addr() != sent.Cache || !strings.Contains(p.headers, visibleHostname(sent.Cache)) {
			t.Errorf("%s: redirected by %q to %v, the origin saw %v; the answer:\n%s", f.url, sent.By, sent.Cache, said.Saw, p.headers)
		}
	}
}

// dissectStages asks Wireshark about every datagram of all stages.
func dissectStages(t *testing.T, stages []*stage) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs tshark")
	}
	var all []dissect.Datagram
	for _, s := range stages {
		s.router.log.find(0, func(e event) bool {
			payload, err := hex.DecodeString(e.Hex)
			if err == nil && e.Name == "received" {
				all = append(all, dissect.Datagram{From: e.Cache, To: routerAddress, Payload: payload})
			}
			if err == nil && e.Name == "sent" {
				all = append(all, dissect.Datagram{From: routerAddress, To: e.Cache, Payload: payload})
			}
			return false
		})
	}
	opinion, err := dissect.Ask(all)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || opinion.WCCP != len(all) || len(opinion.Complaints) > 0 {
		t.Errorf("%d of %d datagrams taken for WCCP; complaints:\n%s", opinion.WCCP, len(all), strings.Join(opinion.Complaints, "\n"))
	}
	t.Logf("%d datagrams", len(all))
}
