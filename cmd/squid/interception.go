package main

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/wccp2"
)

// kernelTunnel is the name of a GRE tunnel that is up: then the operator has
// given the packets to the kernel. "" for none.
func kernelTunnel() string {
	links, err := netlink.LinkList()
	if err != nil {
		return ""
	}
	for _, l := range links {
		if l.Type() == "gre" && l.Attrs().Flags&net.FlagUp != 0 && l.Attrs().Name != gre.DefaultDevice {
			return l.Attrs().Name
		}
	}
	return ""
}

// startWCCP announces the proxy to its routers, now that every port accepts.
func (p *process) startWCCP() error {
	if !wccp2.Enabled(&p.cfg.WCCP) {
		p.log.Info("WCCP Disabled.")
		return nil
	}
	r, err := wccp2.Start(&p.cfg.WCCP, p.wccpSettings(), p.log.Named("wccp2"))
	if err == nil {
		p.wccp.Store(r)
	}
	return err
}

// scarcity is the reason for which an overloaded process announces nothing.
const scarcity = "the process is out of descriptors or memory"

// wccpSettings are those of a start at this moment.
func (p *process) wccpSettings() wccp2.Settings {
	s := wccp2.Settings{Transfers: p.server.Transfers, Moved: p.server.Dismiss}
	if p.server.Overload().Now {
		s.Hold = scarcity
	}
	return s
}

// overloaded keeps routers from sending more than can be served.
func (p *process) overloaded(now bool) {
	switch r := p.wccp.Load(); {
	case r == nil:
	case now:
		r.Hold(scarcity)
	default:
		r.Release(scarcity)
	}
}

// silenceWCCP ends announcing at once: nothing listens any more.
func (p *process) silenceWCCP() {
	if r := p.wccp.Load(); r != nil {
		r.Close()
	}
}

// leaveWCCP takes leave of the routers while transfers go on: until no router
// sends anything any more, or the wait is over, or a signal cuts it short.
func (p *process) leaveWCCP(cut <-chan struct{}) {
	r := p.wccp.Load()
	if r == nil {
		return
	}
	p.log.Info("WCCP: leaving the service groups before the shutdown")
	began, how := time.Now(), "left"
	select {
	case <-r.Leave():
	case <-cut:
		how = "leaving cut short"
	}
	p.log.Info(fmt.Sprintf("WCCP: %s after %d seconds, %d transfers still running", how, int(time.Since(began)/time.Second), p.server.Transfers()))
	r.Close()
}

// reconfigureWCCP goes over to another configuration's routers and services.
func (p *process) reconfigureWCCP(cfg *conf.Config) error {
	if r := p.wccp.Load(); r != nil {
		return r.Reconfigure(&cfg.WCCP)
	}
	if !wccp2.Enabled(&cfg.WCCP) {
		return nil
	}
	r, err := wccp2.Start(&cfg.WCCP, p.wccpSettings(), p.log.Named("wccp2"))
	if err == nil {
		p.wccp.Store(r)
	}
	return err
}

// writeWCCP answers -k wccp.
func (p *process) writeWCCP(w io.Writer) error {
	if r := p.wccp.Load(); r != nil {
		return r.Status().WriteText(w)
	}
	_, err := fmt.Fprintln(w, "WCCP Disabled.")
	return err
}

// writeWCCPJSON answers -k wccp --json.
func (p *process) writeWCCPJSON(w io.Writer) error {
	var s wccp2.Status
	if r := p.wccp.Load(); r != nil {
		s = r.Status()
	}
	return s.WriteJSON(w)
}
