package intercept

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/zap"

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
func (h *Host) startWCCP() error {
	if !wccp2.Enabled(&h.cfg.WCCP) {
		h.log.Info("WCCP Disabled.")
		return nil
	}
	return h.joinRouters()
}

// joinRouters begins to announce, or to wait for what is to be waited for.
func (h *Host) joinRouters() error {
	settings := h.wccpSettings()
	r, err := wccp2.Start(&h.cfg.WCCP, settings, h.log.Named("wccp2"))
	if err != nil {
		return err
	}
	h.wccp.Store(r)
	if settings.Hold == rebuilding || h.indexAwaited() { // the index may have come since: then what holds is released at once
		r.Hold(rebuilding)
		go func() {
			<-h.server.Rebuilt()
			r.Release(rebuilding)
		}()
	}
	return nil
}

// rebuilding is the reason for which a cache that does not know yet what lies on
// its disks announces nothing (wccp2_rebuild_wait).
const rebuilding = "the index of the cache is being rebuilt (wccp2_rebuild_wait)"

// indexAwaited reports whether to wait for the index.
func (h *Host) indexAwaited() bool {
	select {
	case <-h.server.Rebuilt():
		return false
	default:
		return h.cfg.WCCP.RebuildWait
	}
}

// scarcity is the reason for which an overloaded process announces nothing.
const scarcity = "the process is out of descriptors or memory"

// wccpSettings are those of a start at this moment.
func (h *Host) wccpSettings() wccp2.Settings {
	s := wccp2.Settings{Transfers: h.server.Transfers, Moved: h.server.Dismiss}
	switch {
	case h.server.Overload().Now:
		s.Hold = scarcity
	case h.indexAwaited():
		s.Hold = rebuilding
	}
	return s
}

// Overloaded keeps routers from sending more than can be served.
func (h *Host) Overloaded(now bool) {
	switch r := h.wccp.Load(); {
	case r == nil:
	case now:
		r.Hold(scarcity)
	default:
		r.Release(scarcity)
	}
}

// SilenceWCCP ends announcing at once: nothing listens any more.
func (h *Host) SilenceWCCP() {
	if r := h.wccp.Load(); r != nil {
		r.Close()
	}
}

// LeaveWCCP takes leave of the routers while transfers go on: until no router
// sends anything any more, or the wait is over, or a signal cuts it short.
func (h *Host) LeaveWCCP(cut <-chan struct{}) {
	r := h.wccp.Load()
	if r == nil {
		return
	}
	h.log.Info("WCCP: leaving the service groups before the shutdown")
	began, how := time.Now(), "left"
	select {
	case <-r.Leave():
	case <-cut:
		how = "leaving cut short"
	}
	h.log.Info("WCCP: {ended} after {seconds} seconds, {transfers} transfers still running",
		zap.String("ended", how), zap.Int("seconds", int(time.Since(began)/time.Second)), zap.Int("transfers", h.server.Transfers()))
	r.Close()
}

// reconfigureWCCP goes over to another configuration's routers and services.
func (h *Host) reconfigureWCCP() error {
	if r := h.wccp.Load(); r != nil {
		return r.Reconfigure(&h.cfg.WCCP)
	}
	if !wccp2.Enabled(&h.cfg.WCCP) {
		return nil
	}
	return h.joinRouters()
}

// WriteWCCP answers -k wccp.
func (h *Host) WriteWCCP(w io.Writer) error {
	if r := h.wccp.Load(); r != nil {
		return r.Status().WriteText(w)
	}
	_, err := fmt.Fprintln(w, "WCCP Disabled.")
	return err
}

// WriteWCCPJSON answers -k wccp --json.
func (h *Host) WriteWCCPJSON(w io.Writer) error {
	var s wccp2.Status
	if r := h.wccp.Load(); r != nil {
		s = r.Status()
	}
	return s.WriteJSON(w)
}
