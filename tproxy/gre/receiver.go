package gre

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
)

// Receiver delivers what routers send wrapped on a device of this host.
type Receiver interface {
	// Device is the name of the device packets arrive on.
	Device() string
	// Run works until Close and returns nil then.
	Run() error
	// SetRouters limits who may send; nil lets everybody.
	SetRouters([]netip.Addr)
	// SetServices limits what may be inside; nil lets everything. A kernel tunnel keeps
	// from this host what is for this host, whatever it is of.
	SetServices([]Service)
	// Stranger is who sent the last packet dropped by that limit, not valid when
	// there was none or it is not known.
	Stranger() netip.Addr
	// Counts are totals; a kernel tunnel counts only what it delivered.
	Counts() Counts
	Close() error
	// How says for the log which way was taken and why.
	How() string
}

// OpenBest takes the kernel's tunnel where there is one, and unwraps in the
// process where there is none, or where packets have to go back to the router:
// the kernel cannot write the redirect header they came with.
func OpenBest(config Config) (Receiver, error) {
	if config.Return {
		return Open(config)
	}
	if KernelTunnels() == nil {
		// A tunnel the operator made may be in the way of another: unwrap here then.
		if t, err := openTunnel(config); err == nil {
			return t, nil
		}
	}
	return Open(config)
}

// How tells why packets are unwrapped in this process.
func (d *Decapsulator) How() string {
	how := fmt.Sprintf("GRE is unwrapped here and delivered on %s", d.device)
	if d.back != nil {
		how += "; packets that are not ours go back to the router"
	}
	return how
}

// tunnel is the kernel's catch-all tunnel.
type tunnel struct {
	device string
	done   chan struct{}
	close  sync.Once
}

// openTunnel makes a tunnel that takes the packets of every router.
func openTunnel(config Config) (*tunnel, error) {
	t := &tunnel{device: config.Device, done: make(chan struct{})}
	if t.device == "" {
		t.device = DefaultDevice
	}
	local := config.Local
	if !local.IsValid() {
		local = netip.IPv4Unspecified()
	}
	handle, err := netlink.NewHandle()
	if err != nil {
		return nil, err
	}
	defer handle.Close()
	made := link(t.device, local, netip.Addr{})
	if config.Key != nil {
		made.IKey = *config.Key
	}
	if err := add(handle, made); err != nil {
		return nil, err
	}
	if err := configureDevice(t.device, 0); err != nil {
		handle.LinkDel(made)
		return nil, fmt.Errorf("gre: device %s: %w", t.device, err)
	}
	return t, nil
}

func (t *tunnel) Device() string { return t.device }
func (t *tunnel) How() string    { return "GRE is unwrapped by the kernel and delivered on " + t.device }
func (t *tunnel) Run() error     { <-t.done; return nil }

// SetRouters has the packet filter drop what others send: a catch-all tunnel
// cannot tell routers apart. Where there is no nftables everybody may send.
func (t *tunnel) SetRouters(routers []netip.Addr) {
	if routers == nil {
		unguard()
		return
	}
	guard(routers, t.device)
}

// SetServices does nothing: the packet filter's part is done by SetRouters.
func (t *tunnel) SetServices([]Service) {}

// Stranger knows of none: the packet filter counts, and does not say whom.
func (t *tunnel) Stranger() netip.Addr { return netip.Addr{} }

func (t *tunnel) Counts() Counts {
	link, err := netlink.LinkByName(t.device)
	if err != nil || link.Attrs().Statistics == nil {
		return Counts{}
	}
	s := link.Attrs().Statistics
	return Counts{Received: s.RxPackets, Delivered: s.RxPackets, Malformed: s.RxErrors, Lost: s.RxDropped, Stranger: strangers()}
}

// Close removes the device.
func (t *tunnel) Close() (err error) {
	t.close.Do(func() {
		close(t.done)
		unguard()
		var link netlink.Link
		if link, err = netlink.LinkByName(t.device); err == nil {
			err = netlink.LinkDel(link)
		}
	})
	return err
}
