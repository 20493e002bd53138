package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

// settings are the choices of one run.
type settings struct {
	bin          string
	jobs         int
	group        int // scenarios that share one start at most
	portBase     int
	portCount    int
	scratch      string
	keep         bool
	startTimeout time.Duration
	confLines    []string
}

// result is how one scenario went.
type result struct {
	sc          *scenario
	grade       int
	differences []difference
}

// runner plays scenarios on several workers.
type runner struct {
	settings
	root string

	mu       sync.Mutex
	serial   int
	results  []result
	stopping sync.WaitGroup
}

// run plays all scenarios and gives their results in the order of the files.
func run(s settings, all []*scenario) ([]result, error) {
	root, err := os.MkdirTemp(s.scratch, "exchange-")
	if err != nil {
		return nil, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	os.Chmod(root, 0o777)
	r := &runner{settings: s, root: root}
	queue := make(chan []*scenario, len(all))
	for _, g := range groups(all, s.group) {
		queue <- g
	}
	close(queue)
	var workers sync.WaitGroup
	per := max(40, s.portCount/s.jobs)
	for w := range s.jobs {
		pool := &portPool{base: s.portBase + w*per, count: per}
		dns := fmt.Sprintf("127.%d.%d.%d", s.portBase>>8&255, s.portBase&255, 10+w)
		workers.Go(func() {
			for g := range queue {
				r.playGroup(g, pool, dns)
			}
		})
	}
	workers.Wait()
	r.stopping.Wait()
	if !s.keep {
		os.RemoveAll(root)
	}
	sort.Slice(r.results, func(i, j int) bool { return r.results[i].sc.file < r.results[j].sc.file })
	return r.results, nil
}

// playGroup plays scenarios that share one instance.
func (r *runner) playGroup(g []*scenario, pool *portPool, dns string) {
	var px *proxy
	defer func() {
		r.stopping.Go(func() { px.stop() })
	}()
	for i, sc := range g {
		if px == nil || !px.running() {
			px = r.newProxy(sc, pool, dns)
			if err := px.install(); err != nil {
				r.done(sc, nil, 0, false, err)
				continue
			}
			started := px.start()
			if sc.mustNotStart() {
				r.done(sc, map[string]any{"steps": []any{}, "origin": []any{}, "logs": map[string]any{}, "started": started}, 0, false, nil)
				return
			}
			if !started {
				for _, lost := range g[i:] {
					r.done(lost, nil, 0, false, fmt.Errorf("did not start: %s", px.tail()))
				}
				return
			}
		}
		if sc.OneSecond {
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		}
		p := newPlayer(sc, px)
		obs, err := p.play()
		r.done(sc, obs, p.late, !px.running() && !sc.endsProxy(), err)
	}
}

func (r *runner) newProxy(sc *scenario, pool *portPool, dns string) *proxy {
	r.mu.Lock()
	r.serial++
	dir := filepath.Join(r.root, fmt.Sprintf("i%04d", r.serial))
	r.mu.Unlock()
	os.Mkdir(dir, 0o777)
	os.Chmod(dir, 0o777)
	v := &values{pool: pool, dir: dir, name: sc.Name, dnsAddr: dns, start: time.Now(), ports: map[string]int{}}
	v.port("PORT")
	return &proxy{bin: r.bin, dir: dir, vals: v, sc: sc, extra: r.confLines, limit: r.startTimeout, offsets: map[string]int64{}}
}

func (r *runner) done(sc *scenario, obs map[string]any, late time.Duration, died bool, err error) {
	res := result{sc: sc}
	switch {
	case err != nil:
		res.differences = []difference{{"error", "", err.Error()}}
	case sc.Observed == nil:
		res.differences = []difference{{"no recording", "", ""}}
	default:
		expDied, _ := sc.Observed["proxy_died"].(bool)
		res.grade, res.differences = compare(without(sc.Observed, "proxy_died"), obs, sc, int(late/time.Second))
		if died && !expDied {
			res.grade, res.differences = 0, append([]difference{{"proxy died", "", ""}}, res.differences...)
		}
	}
	r.mu.Lock()
	r.results = append(r.results, res)
	r.mu.Unlock()
}

// endsProxy says whether the script itself may end the proxy.
func (sc *scenario) endsProxy() bool {
	for _, s := range sc.Steps {
		if s.Exit != nil || s.K != "" || s.Signal == "TERM" || s.Signal == "INT" || s.Signal == "KILL" {
			return true
		}
	}
	return sc.Stop
}

var ownServer = regexp.MustCompile(`\{(` + strings.Join(serverNames, "|") + `)(_PORT|_ICP)?\}|\{NAME\}|\{TIME`)

// needsOwn says whether a scenario must not share its instance.
func (sc *scenario) needsOwn() bool {
	if sc.Fresh || len(sc.Files) > 0 || sc.Stop || sc.DNS != nil || sc.mustNotStart() {
		return true
	}
	conf := strings.Join(sc.Conf, "\n")
	if ownServer.MatchString(conf) || strings.HasPrefix(conf, "cache_dir ") || strings.Contains(conf, "\ncache_dir ") {
		return true
	}
	for _, s := range sc.Steps {
		if s.Signal != "" || s.K != "" || s.Conf != nil || s.Restart != nil || s.Exit != nil || s.File != nil ||
			s.Ls != "" || s.Mv != nil || s.Rm != "" {
			return true
		}
	}
	return false
}

// groups puts scenarios with equal configuration together, the large groups
// and the slow ones first.
func groups(all []*scenario, size int) [][]*scenario {
	var out [][]*scenario
	byConf := map[string][]*scenario{}
	var order []string
	for _, sc := range all {
		if sc.needsOwn() {
			out = append(out, []*scenario{sc})
			continue
		}
		key, _ := json.Marshal(sc.Conf)
		if byConf[string(key)] == nil {
			order = append(order, string(key))
		}
		byConf[string(key)] = append(byConf[string(key)], sc)
	}
	for _, key := range order {
		list := byConf[key]
		for i := 0; i < len(list); i += size {
			out = append(out, list[i:min(i+size, len(list))])
		}
	}
	weight := func(g []*scenario) int {
		w := len(g)
		for _, s := range g[0].Steps {
			if s.Restart != nil {
				w += 20
			}
		}
		return w
	}
	sort.SliceStable(out, func(i, j int) bool { return weight(out[i]) > weight(out[j]) })
	return out
}
