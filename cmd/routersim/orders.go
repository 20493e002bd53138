package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dataplane"
)

// order is a command of the control socket.
type order struct {
	name, arguments, help string
	obey                  func(l *lab, servers []*routersim.Server, arguments string) (any, error)
}

// orders are all of them. Each may be preceded by @ADDR to mean one router only.
var orders = []order{
	{"status", "", "groups, caches and buckets of the routers", (*lab).status},
	{"counts", "", "packets by service, fate and cache", (*lab).counts},
	{"faults", "[FAULTS]", "misbehave, or behave again", (*lab).setFaults},
	{"restart", "", "forget everything, as a router does that reboots", (*lab).restart},
	{"query", "", "send REMOVAL_QUERY to every usable cache", (*lab).query},
	{"inject", "ADDR:PORT HEX", "send a datagram of your own", (*lab).inject},
	{"quit", "", "end the program", (*lab).end},
}

func orderHelp() string {
	var help strings.Builder
	for _, o := range orders {
		fmt.Fprintf(&help, "  %-22s %s\n", strings.TrimSpace(o.name+" "+o.arguments), o.help)
	}
	help.WriteString("  @ADDR COMMAND          the same for the router ADDR only\n")
	return help.String()
}

// parseOrder takes a command line apart: the order, its arguments, and the router
// it is for, "" for all.
func parseOrder(line string) (o order, arguments, router string, err error) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if at, one := strings.CutPrefix(word, "@"); one {
		router = at
		word, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	}
	for _, o := range orders {
		if o.name == word {
			return o, strings.TrimSpace(rest), router, nil
		}
	}
	return order{}, "", "", fmt.Errorf("command %q is not known; routersim -h lists them", word)
}

// checkOrder finds what is wrong with a command before its time has come.
func checkOrder(line string) error {
	o, arguments, _, err := parseOrder(line)
	if err == nil && o.name == "faults" {
		_, err = routersim.ParseFaults(arguments)
	}
	return err
}

// obey runs a command.
func (l *lab) obey(line string) (any, error) {
	o, arguments, router, err := parseOrder(line)
	if err != nil {
		return nil, err
	}
	servers := l.servers
	if router != "" {
		server, err := l.server(router)
		if err != nil {
			return nil, err
		}
		servers = []*routersim.Server{server}
	}
	return o.obey(l, servers, arguments)
}

func (l *lab) server(address string) (*routersim.Server, error) {
	for _, server := range l.servers {
		found := false
		server.Do(func(r *routersim.Router) { found = r.Config().Address.String() == address })
		if found {
			return server, nil
		}
	}
	return nil, fmt.Errorf("no router %s here", address)
}

func (l *lab) status(servers []*routersim.Server, _ string) (any, error) {
	var all []routersim.Status
	for _, server := range servers {
		server.Do(func(r *routersim.Router) { all = append(all, r.Status(time.Now())) })
	}
	return all, nil
}

func (l *lab) counts([]*routersim.Server, string) (any, error) {
	if l.plane == nil {
		return []dataplane.Count{}, nil
	}
	return l.plane.Counts(), nil
}

func (l *lab) setFaults(servers []*routersim.Server, text string) (any, error) {
	faults, err := routersim.ParseFaults(text)
	if err != nil {
		return nil, err
	}
	for _, server := range servers {
		server.Do(func(r *routersim.Router) { r.SetFaults(faults) })
	}
	return faults, nil
}

func (l *lab) restart(servers []*routersim.Server, _ string) (any, error) {
	for _, server := range servers {
		server.Do(func(r *routersim.Router) { r.Restart(time.Now()) })
	}
	return "restarted", nil
}

func (l *lab) query(servers []*routersim.Server, _ string) (any, error) {
	for _, server := range servers {
		server.Do(func(r *routersim.Router) { r.Query() })
	}
	return "queried", nil
}

func (l *lab) inject(servers []*routersim.Server, arguments string) (any, error) {
	where, text, _ := strings.Cut(arguments, " ")
	to, err := netip.ParseAddrPort(where)
	if err != nil {
		return nil, err
	}
	payload, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, server := range servers {
		errs = append(errs, server.Inject(payload, to))
	}
	return "sent", errors.Join(errs...)
}

func (l *lab) end([]*routersim.Server, string) (any, error) {
	l.quit()
	return "ending", nil
}
