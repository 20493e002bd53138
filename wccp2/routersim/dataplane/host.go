package dataplane

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

// firstMark is the mark and the routing table of the first service; the others
// follow. High, so that an operator's own numbers are not hit.
const firstMark = 0x57430001

// rulePriority puts our rules after the local table and before main.
const rulePriority = 57

// host is what was changed on the machine, with the way back.
type host struct {
	undo []func() error
}

// up starts a device and gives it the largest MTU a packet may come with.
func (h *host) up(device string, mtu int) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("device %s: %w", device, err)
	}
	if err := netlink.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("MTU of %s: %w", device, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("starting %s: %w", device, err)
	}
	// Packets come back from here though no route leads here.
	return h.set("net/ipv4/conf/"+device+"/rp_filter", "0")
}

// route sends marked packets to a device. The route ends with the device, the rule does not.
func (h *host) route(mark uint32, device string) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("device %s: %w", device, err)
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Table: int(mark), Dst: everywhere, Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("route to %s: %w", device, err)
	}
	rule := netlink.NewRule()
	rule.Family = netlink.FAMILY_V4
	rule.Mark = mark
	rule.Table = int(mark)
	rule.Priority = rulePriority
	for netlink.RuleDel(rule) == nil {
		// Left by a router that was killed.
	}
	if err := netlink.RuleAdd(rule); err != nil {
		return fmt.Errorf("rule for mark %#x: %w", mark, err)
	}
	h.undo = append(h.undo, func() error { return netlink.RuleDel(rule) })
	return nil
}

// set changes a kernel variable and remembers what it was.
func (h *host) set(name, value string) error {
	path := "/proc/sys/" + name
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before := strings.TrimSpace(string(old))
	if before == value {
		return nil
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		return err
	}
	h.undo = append(h.undo, func() error {
		err := os.WriteFile(path, []byte(before), 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil // the variable of a device that is gone
		}
		return err
	})
	return nil
}

// restore undoes everything, last first.
func (h *host) restore() error {
	var errs []error
	for i := len(h.undo) - 1; i >= 0; i-- {
		errs = append(errs, h.undo[i]())
	}
	h.undo = nil
	return errors.Join(errs...)
}
