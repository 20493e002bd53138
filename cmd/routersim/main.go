// Command routersim is a WCCP router for labs: it answers caches, takes their
// assignments, and redirects the packets of its network namespace to them.
// `routersim -h` explains its use.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dataplane"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "ctl" {
		exit(control(os.Args[2:], os.Stdout))
	}
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "routersim:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// lab is the running program: some routers, or one with its packet side.
type lab struct {
	events  *events
	servers []*routersim.Server
	plane   *dataplane.Plane // nil when no interface redirects
	quit    context.CancelFunc
}

// run works until the context ends, and then leaves the namespace as it found it.
func run(ctx context.Context, o *options) (err error) {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	l := &lab{quit: quit}
	if l.events, err = openEvents(o.eventsPath); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.events.close()) }()
	for _, ignored := range o.commands.Ignored {
		l.events.ignored(ignored)
	}

	if len(o.commands.Interfaces) > 0 {
		l.plane, err = dataplane.Open(dataplane.Config{
			Router:     o.routers[0].address,
			Interfaces: o.commands.Interfaces,
			Opened:     l.events.redirected,
		})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.plane.Close()) }()
	}
	if err := l.listen(o); err != nil {
		return err
	}
	return l.serve(ctx, o)
}

func (l *lab) listen(o *options) error {
	for _, router := range o.routers {
		config := o.config(router)
		config.Observe = l.events.observe
		if l.plane != nil {
			config.Publish = l.publish
		}
		server, err := routersim.Listen(config, o.port)
		if err != nil {
			return err
		}
		l.servers = append(l.servers, server)
	}
	return nil
}

// publish hands a table of the router to the packet side.
func (l *lab) publish(service wire.ServiceID, table *routersim.Table) {
	if err := l.plane.SetTable(service, table); err != nil {
		l.events.failed(service, err)
	}
}

func (l *lab) serve(ctx context.Context, o *options) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, server := range l.servers {
		all.Go(func() error { return server.Serve(ctx) })
	}
	if o.controlPath != "" {
		all.Go(func() error { return l.serveControl(ctx, o.controlPath) })
	}
	for _, planned := range o.script {
		all.Go(func() error { return l.later(ctx, planned) })
	}
	return all.Wait()
}
