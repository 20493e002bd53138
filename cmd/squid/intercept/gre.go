package intercept

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"syscall"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/wccp2"
)

// greReceiver is what receives routers' GRE, with the settings it was opened by.
type greReceiver struct {
	gre.Receiver
	local netip.Addr
	back  bool
}

// greConfig is what a configuration says about the receiver.
func greConfig(cfg *conf.Config, own *tproxy.Own) gre.Config {
	config := gre.Config{Own: own.Has, Here: own.Delivers, Mark: tproxy.OwnMark, Return: cfg.WCCP.ReturnMethod == conf.WCCPGRE}
	a := cfg.WCCP.V2Address
	if len(cfg.WCCP.V2Routers) == 0 {
		a = cfg.WCCP.Address
	}
	if a.IsValid() && !a.IsUnspecified() {
		config.Local = a
	}
	return config
}

// openGRE opens what receives the packets of routers that send them in GRE: a
// tunnel of the kernel's, or a decapsulator in this process. Where the operator
// made a tunnel already, that one stays. It needs CAP_NET_RAW and CAP_NET_ADMIN;
// a process that gave root up before it was to receive GRE gets the raw socket
// from its Root. Without the rights the start fails, since a
// router told to send us GRE would send it nowhere.
func (h *Host) openGRE(cfg *conf.Config) error {
	if !decapsulates(cfg) || kernelTunnel() != "" {
		return nil
	}
	config := greConfig(cfg, h.Network.own)
	r, err := gre.OpenBest(config)
	if h.Root != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES)) {
		r, err = openGREByRoot(h.Root, config)
	}
	if err != nil {
		return err
	}
	r.SetRouters(routersOf(cfg, nil))
	r.SetServices(redirected(cfg))
	h.gre.Store(&greReceiver{Receiver: r, local: config.Local, back: config.Return})
	return nil
}

// openGREByRoot is for a process without the rights: Root opens what needs them.
func openGREByRoot(root Root, config gre.Config) (gre.Receiver, error) {
	var err error
	if config.Socket, err = root.GRESocket(); err != nil {
		return nil, err
	}
	if config.TUN, err = root.TUN(); err != nil {
		config.Socket.Close()
		return nil, err
	}
	return gre.Open(config)
}

// errNoGRE refuses what the configuration in force does not ask for.
var errNoGRE error = syscall.EACCES

// GRESocket and TUN are the part of a Root: they open what a receiver takes, when
// the configuration asks for one.
func GRESocket(cfg *conf.Config) (*os.File, error) {
	if !decapsulates(cfg) {
		return nil, errNoGRE
	}
	return gre.OpenSocket(greConfig(cfg, nil))
}

// TUN opens the device that packets of routers are delivered on.
func TUN(cfg *conf.Config) (*os.File, error) {
	if !decapsulates(cfg) {
		return nil, errNoGRE
	}
	return gre.OpenTUN(greConfig(cfg, nil))
}

// reconfigureGRE begins to receive GRE, receives it otherwise, or ends that, as
// another configuration wants it. What the receiver is opened by is compared, so
// that a reconfigure that does not touch it loses no packet.
func (h *Host) reconfigureGRE() error {
	cfg := h.cfg
	have := h.gre.Load()
	config := greConfig(cfg, nil)
	switch {
	case have == nil && decapsulates(cfg):
	case have != nil && !decapsulates(cfg):
		h.closeGRE()
		return nil
	case have != nil && (have.local != config.Local || have.back != config.Return):
		h.closeGRE()
	default:
		if have != nil {
			have.SetServices(redirected(cfg))
		}
		return nil
	}
	if err := h.openGRE(cfg); err != nil {
		return err
	}
	h.startGRE()
	return nil
}

// routersOf lists who may send us GRE: the routers of the configuration, and the
// addresses they call themselves by in WCCP.
func routersOf(cfg *conf.Config, learnt []netip.Addr) []netip.Addr {
	list := append([]netip.Addr{}, greRouters(cfg)...)
	for _, a := range learnt {
		if a = a.Unmap(); a.Is4() && !a.IsUnspecified() { // IPv6 ones send by layer 2
			list = append(list, a)
		}
	}
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// redirected is what the routers of a configuration are asked to send.
func redirected(cfg *conf.Config) []gre.Service {
	web := gre.Service{Protocol: unix.IPPROTO_TCP, Ports: []uint16{80}} // what routers know by the name of web-cache
	list := []gre.Service{web}
	for _, s := range cfg.WCCP.Services {
		if !s.HasInfo {
			continue
		}
		service := gre.Service{Protocol: s.Protocol, FromPort: s.Flags&conf.WCCPPortsSource != 0}
		for _, port := range s.Ports {
			if port != 0 {
				service.Ports = append(service.Ports, port)
			}
		}
		list = append(list, service)
	}
	return list
}

// learntRouters are the addresses that routers name in WCCP and may send from: those
// of routers that are heard now, and call themselves so under a password. Without one
// anybody could name himself; such a router's other address is told of as a stranger's
// and can be named in wccp2_router.
func (h *Host) learntRouters() []netip.Addr {
	r := h.wccp.Load()
	if r == nil {
		return nil
	}
	var list []netip.Addr
	for _, s := range r.Status().Services {
		for _, router := range s.Routers {
			switch router.State {
			case wccp2.StateWaiting, wccp2.StateLost, wccp2.StateRefused:
			default:
				if s.Secure {
					list = append(list, router.Router, router.Identity)
				}
			}
		}
	}
	return list
}

// noGRE is a reason to announce nothing to routers.
const noGRE = "GRE packets are not received"

// startGRE begins to move packets.
func (h *Host) startGRE() {
	r := h.gre.Load()
	if r == nil {
		return
	}
	h.log.Info(r.How())
	if w := h.wccp.Load(); w != nil {
		w.Release(noGRE)
	}
	go func() {
		if err := r.Run(); err != nil {
			h.log.Error("ERROR: GRE packets are no longer received: {error}", report.Error(err))
			if w := h.wccp.Load(); w != nil {
				w.Hold(noGRE)
			}
		}
	}()
}

// closeGRE removes the device and leaves the totals in the log.
func (h *Host) closeGRE() {
	r := h.gre.Swap(nil)
	if r == nil {
		return
	}
	n := r.Counts()
	r.Close()
	h.log.Info("GRE: {received} packets received, {delivered} delivered, {returned} given back, {refused} refused, {lost} lost in the queue",
		zap.Uint64("received", n.Received), zap.Uint64("delivered", n.Delivered), zap.Uint64("returned", n.Returned),
		zap.Uint64("refused", refused(n)), zap.Uint64("lost", n.Lost))
}

func refused(n gre.Counts) uint64 {
	return n.Foreign + n.Malformed + n.Checksum + n.Stranger + n.Own + n.Here + n.Other + n.Refused
}
