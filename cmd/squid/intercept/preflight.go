package intercept

import (
	"net/netip"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// Inspection is what a preflight of a configuration looks at.
func Inspection(cfg *conf.Config) host.Inspection {
	i := host.Inspection{Want: Want(cfg), Needs: Rights(cfg), Starts: []cap.Value{cap.SETUID, cap.SETGID}}
	for _, p := range cfg.Ports() {
		addr := p.Addr
		if anyAddress(p) {
			addr = netip.AddrPortFrom(netip.Addr{}, p.Addr.Port())
		}
		i.Listen = append(i.Listen, addr)
	}
	for _, rule := range cfg.TCPOutgoingAddress {
		i.Local = append(i.Local, host.Named{Directive: "tcp_outgoing_address", Addr: rule.Addr})
	}
	if a := cfg.WCCP.V2Address; a.IsValid() && !a.IsUnspecified() {
		i.Announced = a
		i.Local = append(i.Local, host.Named{Directive: "wccp2_address", Addr: a})
	}
	return i
}

// lookAtHost is the start-up's preflight of a configuration that intercepts: what
// is not well, for the log. It comes before root is given up, since rules can
// only be read with CAP_NET_ADMIN, and leaves out what needs namespaces.
func lookAtHost(cfg *conf.Config) []host.Finding {
	if !Wanted(cfg) {
		return nil
	}
	i := Inspection(cfg)
	i.Quick, i.Listen = true, nil // the ports are opened in earnest soon
	var unwell []host.Finding
	for _, f := range host.Preflight(i) {
		if f.Level != host.OK {
			unwell = append(unwell, f)
		}
	}
	return unwell
}
