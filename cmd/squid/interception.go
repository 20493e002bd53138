package main

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/wccp2"
)

// openGRE opens what receives the packets of routers that send them in GRE: a
// tunnel of the kernel's, or a decapsulator in this process. Where the operator
// made a tunnel already, that one stays. It needs root, or CAP_NET_RAW and
// CAP_NET_ADMIN; without them the start fails, since a router told to send us
// GRE would send it nowhere.
func (p *process) openGRE() error {
	if !decapsulates(p.cfg) || kernelTunnel() != "" {
		return nil
	}
	config := gre.Config{
		Own:    p.network.own.Has,
		Mark:   tproxy.OwnMark,
		Return: p.cfg.WCCP.ReturnMethod == conf.WCCPGRE,
	}
	if a := p.cfg.WCCP.V2Address; a.IsValid() && !a.IsUnspecified() {
		config.Local = a
	}
	r, err := gre.OpenBest(config)
	if err != nil {
		return err
	}
	p.gre = r
	return nil
}

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

// startGRE begins to move packets.
func (p *process) startGRE() {
	if p.gre == nil {
		return
	}
	p.log.Info(p.gre.How())
	go func() {
		if err := p.gre.Run(); err != nil {
			p.log.Error("ERROR: GRE packets are no longer received: " + err.Error())
			if r := p.wccp.Load(); r != nil {
				r.Hold("GRE packets are not received")
			}
		}
	}()
}

// closeGRE removes the device and leaves the totals in the log.
func (p *process) closeGRE() {
	if p.gre == nil {
		return
	}
	n := p.gre.Counts()
	p.gre.Close()
	p.log.Info(fmt.Sprintf("GRE: %d packets received, %d delivered, %d given back, %d refused, %d lost in the queue",
		n.Received, n.Delivered, n.Returned, n.Foreign+n.Malformed+n.Checksum+n.Stranger+n.Own+n.Refused, n.Lost))
}

// startWCCP announces the proxy to its routers, now that every port accepts.
func (p *process) startWCCP() error {
	if !wccp2.Enabled(&p.cfg.WCCP) {
		p.log.Info("WCCP Disabled.")
		return nil
	}
	r, err := wccp2.Start(&p.cfg.WCCP, wccp2.Settings{}, p.log.Named("wccp2"))
	if err == nil {
		p.wccp.Store(r)
	}
	return err
}

// leaveWCCP takes leave of the routers while transfers go on: until no router
// sends anything any more, or the wait is over, or a signal cuts it short.
func (p *process) leaveWCCP(cut <-chan struct{}) {
	r := p.wccp.Load()
	if r == nil {
		return
	}
	p.log.Info("WCCP: leaving the service groups before the shutdown")
	began := time.Now()
	select {
	case <-r.Leave():
		p.log.Info(fmt.Sprintf("WCCP: left after %d seconds", int(time.Since(began)/time.Second)))
	case <-cut:
	}
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
	r, err := wccp2.Start(&cfg.WCCP, wccp2.Settings{}, p.log.Named("wccp2"))
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
