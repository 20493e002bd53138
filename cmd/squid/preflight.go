package main

import (
	"fmt"
	"net/netip"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// preflightOrder is -k preflight: one line for each fact interception depends
// on. The exit status is the worst of them: 0 ok, 1 warn, 2 fail.
func preflightOrder(inv *invocation) int {
	cfg, status := inv.load()
	if cfg == nil {
		return status
	}
	i := hostInspection(cfg)
	i.Running = runningCopy(cfg.PidFilename) != 0
	findings := host.Preflight(i)
	write := host.WriteText
	if inv.asked("json") {
		write = host.WriteJSON
	}
	if err := write(inv.stdout, findings); err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
		return int(host.Fail)
	}
	return int(host.Worst(findings))
}

// hostInspection is what a preflight of a configuration looks at.
func hostInspection(cfg *conf.Config) host.Inspection {
	i := host.Inspection{Want: hostWant(cfg), Needs: wantedRights(cfg), Starts: []cap.Value{cap.SETUID, cap.SETGID}}
	for _, p := range cfg.HTTPPorts {
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
	if !intercepts(cfg) {
		return nil
	}
	i := hostInspection(cfg)
	i.Quick, i.Listen = true, nil // the ports are opened in earnest soon
	var unwell []host.Finding
	for _, f := range host.Preflight(i) {
		if f.Level != host.OK {
			unwell = append(unwell, f)
		}
	}
	return unwell
}

// tellFindings writes them to cache.log. Whether the start goes on is decided by
// the sockets themselves: without the capability they cannot be opened, while
// rules may be somebody else's to make, later.
func (p *process) tellFindings(findings []host.Finding) {
	for _, f := range findings {
		text := fmt.Sprintf("preflight: %s: %s; %s", f.ID, f.Fact, f.Why)
		if f.Remedy != "" {
			text += "; mend it with: " + f.Remedy
		}
		if f.Level == host.Fail {
			p.log.Error("ERROR: " + text)
		} else {
			p.log.Warn("WARNING: " + text)
		}
	}
}
