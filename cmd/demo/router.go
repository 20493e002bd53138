package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// router is bin/routersim at work in its namespace.
type router struct {
	process *netlab.Process
	program string
	control string
	log     *eventLog
	errors  string // path of what it wrote to standard error
}

// startRouter runs the simulated router with its configuration of the founding page.
func (n *network) startRouter(program string, more ...string) (*router, error) {
	r := &router{
		program: program, log: newEventLog(),
		control: filepath.Join(n.directory, "router.sock"),
		errors:  filepath.Join(n.directory, "router.err"),
	}
	conf := filepath.Join(n.directory, "router.conf")
	if err := os.WriteFile(conf, []byte(routerCommands), 0o644); err != nil {
		return nil, err
	}
	args := append([]string{
		"-router", routerAddress.String(), "-config", conf, "-control", r.control,
		"-link", "GigabitEthernet0/3.100=adsl0",
		"-link", "GigabitEthernet0/3.101=dialup0",
		"-link", "GigabitEthernet0/3.102=proxy0",
	}, more...)
	cmd := exec.Command(program, args...)
	complaints, err := os.Create(r.errors)
	if err != nil {
		return nil, err
	}
	defer complaints.Close()
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, complaints
	if r.process, err = n.router.Start(cmd); err != nil {
		return nil, err
	}
	go func() {
		<-r.process.Done()
		in.Close()
	}()
	go r.log.follow(out)
	return r, nil
}

// order sends a command to the router and decodes the answer into result, unless nil.
func (r *router) order(result any, words ...string) error {
	answer, err := exec.Command(r.program, append([]string{"ctl", r.control}, words...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("router: %v: %s", words, answer)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer, result)
}

// group is a service group as the router sees it.
type group struct {
	Service string `json:"service"`
	Caches  []struct {
		Cache   netip.Addr `json:"cache"`
		Usable  bool       `json:"usable"`
		Weight  int        `json:"weight"`
		Buckets int        `json:"buckets"`
	} `json:"caches"`
}

// groups asks the router for its service groups.
func (r *router) groups() ([]group, error) {
	var routers []struct {
		Groups []group `json:"groups"`
	}
	if err := r.order(&routers, "status"); err != nil {
		return nil, err
	}
	var all []group
	for _, router := range routers {
		all = append(all, router.Groups...)
	}
	return all, nil
}

// held is how many buckets of a service the cache has.
func held(groups []group, service string, cache netip.Addr) int {
	for _, g := range groups {
		for _, c := range g.Caches {
			if g.Service == service && c.Cache == cache {
				return c.Buckets
			}
		}
	}
	return 0
}
