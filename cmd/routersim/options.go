package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// options is the command line, checked.
type options struct {
	routers     []routerAddress
	commands    routersim.Commands
	anyService  bool
	password    string
	interval    time.Duration
	port        uint16
	methods     [3]uint32 // forwarding, return, assignment
	noCaps      bool
	maskView    routersim.MaskView
	faults      routersim.Faults
	seed        uint64
	datagrams   bool
	eventsPath  string
	controlPath string
	script      []planned
}

type routerAddress struct{ address, id netip.Addr }

// planned is a command of the control socket to be obeyed at a time after the start.
type planned struct {
	after   time.Duration
	command string
}

// parseOptions reads the command line. Complaints about flags go to out.
func parseOptions(args []string, out io.Writer) (*options, error) {
	o := &options{}
	var lines, links []string
	var file, forwarding, returning, assignment, faults, view string
	var port uint

	f := flag.NewFlagSet("routersim", flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() { usage(out, f) }
	f.Func("router", "`ADDR[=ID]` to answer from, and the id to go by; repeat for more routers", o.addRouter)
	f.StringVar(&file, "config", "", "`FILE` with the router's own commands (see below)")
	f.Func("command", "one more line for the configuration; repeat", collect(&lines))
	f.Func("link", "`NAME=DEVICE`: the interface the configuration calls NAME is DEVICE here; repeat", collect(&links))
	f.BoolVar(&o.anyService, "any-service", false, "take part in services that are not configured, too")
	f.StringVar(&o.password, "password", "", "password of services let in by -any-service")
	f.DurationVar(&o.interval, "interval", routersim.DefaultInterval, "time between HERE_I_AMs that timers are counted in")
	f.UintVar(&port, "port", wire.Port, "UDP port")
	f.StringVar(&forwarding, "forwarding", "gre,l2", "forwarding methods supported")
	f.StringVar(&returning, "return", "gre,l2", "return methods supported")
	f.StringVar(&assignment, "assignment", "hash,mask", "assignment methods supported")
	f.BoolVar(&o.noCaps, "no-capabilities", false, "leave the capabilities out of answers: GRE and hash only")
	f.StringVar(&view, "mask-view", "full", "caches with mask assignment in the view: full, short (Squid 2.6 reads it) or echo")
	f.StringVar(&faults, "faults", "", "misbehave from the start; `FAULTS` as below")
	f.Uint64Var(&o.seed, "seed", 1, "of the faults' dice")
	f.Func("at", "`'TIME COMMAND'`: obey a control command at a time after the start, as in -at '30s restart'; repeat", o.addPlanned)
	f.BoolVar(&o.datagrams, "datagrams", false, "log every datagram with its octets")
	f.StringVar(&o.eventsPath, "events", "-", "`FILE` for the event log, - for standard output")
	f.StringVar(&o.controlPath, "control", "", "`PATH` of a control socket to listen on")
	if err := f.Parse(args); err != nil {
		return nil, err
	}

	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if len(o.routers) == 0 {
		return nil, errors.New("no -router given; -h explains")
	}
	if port == 0 || port > 65535 {
		return nil, fmt.Errorf("port %d", port)
	}
	o.port = uint16(port)
	if o.interval < 10*time.Millisecond {
		return nil, fmt.Errorf("interval %v is too short", o.interval)
	}
	return o, errors.Join(
		o.readCommands(file, lines, links),
		o.readMethods(forwarding, returning, assignment),
		o.readMaskView(view),
		o.readFaults(faults),
		o.checkRedirection())
}

// checkRedirection refuses several routers on one set of interfaces. A packet
// passes one router, and which of them an interface would belong to nothing says:
// following one's tables would show a lab what no network does.
func (o *options) checkRedirection() error {
	if slices.ContainsFunc(o.routers, func(r routerAddress) bool { return r.address.Is6() }) && len(o.commands.Interfaces) > 0 {
		return errors.New("packets of IPv6 are not redirected: leave the interfaces out of the configuration")
	}
	if len(o.routers) > 1 && len(o.commands.Interfaces) > 0 {
		return errors.New("packets are redirected for one -router only: run one routersim in a network namespace for each router, or leave the interfaces out of the configuration")
	}
	return nil
}

func collect(to *[]string) func(string) error {
	return func(value string) error { *to = append(*to, value); return nil }
}

func (o *options) addRouter(text string) error {
	address, id, named := strings.Cut(text, "=")
	var r routerAddress
	var err error
	if r.address, err = netip.ParseAddr(address); err == nil && named {
		r.id, err = netip.ParseAddr(id)
	}
	if err != nil || r.address.Is4In6() || named && r.id.Is4() != r.address.Is4() {
		return errors.New("want an address, or two of a family as in 10.0.0.1=192.0.2.1")
	}
	if len(o.routers) == 32 {
		return errors.New("at most 32 routers")
	}
	o.routers = append(o.routers, r)
	return nil
}

func (o *options) addPlanned(text string) error {
	when, command, _ := strings.Cut(strings.TrimSpace(text), " ")
	after, err := time.ParseDuration(when)
	if err != nil {
		return err
	}
	if err := checkOrder(command); err != nil {
		return err
	}
	o.script = append(o.script, planned{after, command})
	return nil
}

func (o *options) readCommands(file string, lines, links []string) error {
	var text []byte
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	commands, err := routersim.ParseCommands(string(text) + "\n" + strings.Join(lines, "\n"))
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	device := make(map[string]string)
	for _, link := range links {
		name, here, ok := strings.Cut(link, "=")
		if !ok {
			return fmt.Errorf("-link %s: want NAME=DEVICE", link)
		}
		device[name] = here
	}
	for i := range commands.Interfaces {
		if here, linked := device[commands.Interfaces[i].Name]; linked {
			commands.Interfaces[i].Name = here
		}
	}
	o.commands = commands
	return nil
}

func (o *options) readMethods(texts ...string) error {
	words := [3]map[string]uint32{
		{"gre": wire.MethodGRE, "l2": wire.MethodL2},
		{"gre": wire.MethodGRE, "l2": wire.MethodL2},
		{"hash": wire.MethodHash, "mask": wire.MethodMask},
	}
	for i, text := range texts {
		for word := range strings.SplitSeq(text, ",") {
			bit, known := words[i][word]
			if !known {
				return fmt.Errorf("method %q: want some of -forwarding gre,l2 -return gre,l2 -assignment hash,mask", word)
			}
			o.methods[i] |= bit
		}
	}
	return nil
}

func (o *options) readMaskView(text string) error {
	o.maskView = routersim.MaskView(text)
	switch o.maskView {
	case routersim.MaskViewFull, routersim.MaskViewShort, routersim.MaskViewEcho:
		return nil
	}
	return fmt.Errorf("mask view %q: want full, short or echo", text)
}

func (o *options) readFaults(text string) (err error) {
	o.faults, err = routersim.ParseFaults(text)
	return err
}

// config is the description of one router.
func (o *options) config(r routerAddress) routersim.Config {
	return routersim.Config{
		Address: r.address, ID: r.id,
		Groups: o.commands.Groups, AnyService: o.anyService, Password: o.password, Version: o.commands.Version,
		Interval:   o.interval,
		Forwarding: o.methods[0], Return: o.methods[1], Assignment: o.methods[2],
		NoCapabilities: o.noCaps, MaskView: o.maskView,
		Faults: o.faults, Seed: o.seed, LogDatagrams: o.datagrams,
	}
}
