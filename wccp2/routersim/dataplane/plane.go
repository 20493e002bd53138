package dataplane

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Config says where a plane works.
type Config struct {
	Router     netip.Addr // source of GRE packets, and where caches return them to
	Interfaces []routersim.Interface
	// Opened hears of the first packet of each TCP connection that is redirected. It
	// is called from the packet path: while it takes its time, packets of the service wait.
	Opened func(Redirect)
}

// Redirect is one packet handed to a cache.
type Redirect struct {
	Service wire.ServiceID
	Flow    routersim.Flow
	Choice  routersim.Choice
}

// Plane redirects packets until it is closed.
type Plane struct {
	config   Config
	channels map[wire.ServiceID]*channel
	back     *os.File // TUN for what caches return
	gre      *net.IPConn
	layer2   *layer2
	rules    *ruleset
	host     host
	counters counters
	routines sync.WaitGroup

	mu       sync.Mutex
	services map[wire.ServiceID]wire.Service // those with an assignment
}

// channel is the way of one service through user space.
type channel struct {
	key   wire.ServiceID
	mark  uint32
	tun   *os.File
	table atomic.Pointer[routersim.Table]
}

// Open prepares the namespace it is called in. Nothing is redirected until a
// service has a table.
func Open(config Config) (*Plane, error) {
	p := &Plane{
		config:   config,
		channels: make(map[wire.ServiceID]*channel),
		services: make(map[wire.ServiceID]wire.Service),
	}
	if err := p.open(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	for _, c := range p.channels {
		p.routines.Go(func() { p.redirectAll(c) })
	}
	p.routines.Go(p.acceptReturns)
	return p, nil
}

func (p *Plane) open() error {
	mtu, err := largestMTU(p.config.Interfaces)
	if err != nil {
		return err
	}
	if p.gre, err = listenGRE(p.config.Router); err != nil {
		return err
	}
	if p.layer2, err = newLayer2(); err != nil {
		return err
	}
	if p.back, err = p.device(returnDevice, mtu); err != nil {
		return err
	}
	for i, key := range keysOf(p.config.Interfaces) {
		c := &channel{key: key, mark: firstMark + uint32(i)}
		if c.tun, err = p.device(deviceName(key), mtu); err != nil {
			return err
		}
		p.channels[key] = c
		if err := p.host.route(c.mark, deviceName(key)); err != nil {
			return err
		}
	}
	if p.rules, err = newRuleset(); err != nil {
		return err
	}
	// Caches send packets with subscribers' and origins' addresses, which no reverse
	// path filter would let in.
	for _, i := range p.config.Interfaces {
		if err := p.host.set("net/ipv4/conf/"+i.Name+"/rp_filter", "0"); err != nil {
			return err
		}
	}
	return errors.Join(
		p.host.set("net/ipv4/ip_forward", "1"),
		p.host.set("net/ipv4/conf/all/rp_filter", "0"))
}

func (p *Plane) device(name string, mtu int) (*os.File, error) {
	tun, err := openTUN(name)
	if err != nil {
		return nil, err
	}
	if err := p.host.up(name, mtu); err != nil {
		tun.Close()
		return nil, err
	}
	return tun, nil
}

// largestMTU also finds out whether the interfaces exist.
func largestMTU(interfaces []routersim.Interface) (int, error) {
	mtu := 1500
	for _, i := range interfaces {
		found, err := net.InterfaceByName(i.Name)
		if err != nil {
			return 0, fmt.Errorf("interface %s: %w", i.Name, err)
		}
		mtu = max(mtu, found.MTU)
	}
	return mtu, nil
}

// SetTable takes a service's new table; nil ends its redirection and its packets
// are forwarded by the kernel again. Services on no interface are left alone.
func (p *Plane) SetTable(key wire.ServiceID, table *routersim.Table) error {
	c := p.channels[key]
	if c == nil {
		return nil
	}
	c.table.Store(table)

	p.mu.Lock()
	defer p.mu.Unlock()
	before, had := p.services[key]
	switch {
	case table == nil && !had, table != nil && had && before == table.Service:
		return nil
	case table == nil:
		delete(p.services, key)
	default:
		p.services[key] = table.Service
	}
	return p.mark()
}

// mark brings the rules in line with the services that have tables.
func (p *Plane) mark() error {
	var exclude []string
	for _, i := range p.config.Interfaces {
		if i.Exclude {
			exclude = append(exclude, i.Name)
		}
	}
	marks := make(map[wire.ServiceID]uint32)
	for key, c := range p.channels {
		marks[key] = c.mark
	}
	return p.rules.replace(exclude, matches(p.config.Interfaces, p.services, marks))
}

// Counts tells how many packets met which fate.
func (p *Plane) Counts() []Count { return p.counters.list() }

// Close stops redirecting and gives the namespace back as it was.
func (p *Plane) Close() error {
	var errs []error
	if p.rules != nil {
		errs = append(errs, p.rules.remove())
	}
	errs = append(errs, p.host.restore())
	for _, c := range p.channels {
		errs = append(errs, c.tun.Close())
	}
	if p.back != nil {
		errs = append(errs, p.back.Close())
	}
	if p.gre != nil {
		errs = append(errs, p.gre.Close())
	}
	if p.layer2 != nil {
		errs = append(errs, p.layer2.close())
	}
	p.routines.Wait()
	return errors.Join(errs...)
}
