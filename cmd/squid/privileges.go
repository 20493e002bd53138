package main

import (
	"fmt"
	"net/netip"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/conf"
)

// wantedRights are the capabilities a serving process keeps when it gives root
// up. A plain forward proxy keeps only the right to low ports (a reconfigure may
// name one); a proxy that intercepts also marks sockets and binds to foreign
// addresses.
func wantedRights(cfg *conf.Config) []cap.Value {
	rights := []cap.Value{cap.NET_BIND_SERVICE}
	if intercepts(cfg) {
		rights = append(rights, cap.NET_ADMIN)
	}
	if decapsulates(cfg) {
		rights = append(rights, cap.NET_RAW)
	}
	return rights
}

// decapsulates says whether packets of a WCCP router may reach us in GRE.
func decapsulates(cfg *conf.Config) bool {
	return len(greRouters(cfg)) > 0 && intercepts(cfg)
}

// greRouters are the routers that send packets in GRE: those of version 2 where
// that is the method, and that of version 1, which knows no other.
func greRouters(cfg *conf.Config) (list []netip.Addr) {
	if cfg.WCCP.ForwardingMethod == conf.WCCPGRE {
		for _, r := range cfg.WCCP.V2Routers {
			list = append(list, r.Addr().Unmap())
		}
	}
	if r := cfg.WCCP.Router; r.IsValid() && !r.IsUnspecified() {
		list = append(list, r.Unmap())
	}
	return list
}

// becomeUser changes to a user, keeping only the named capabilities, on every
// thread (libcap sees to that). There is no way back: no saved user id, nothing
// inheritable, so helper programs get no capability.
func becomeUser(id identity, keep []cap.Value) error {
	if err := cap.SetGroups(id.gid, id.groups...); err != nil {
		return fmt.Errorf("cannot change to the groups of '%s': %w", id.name, err)
	}
	if err := cap.SetUID(id.uid); err != nil {
		return fmt.Errorf("cannot change to the user '%s': %w", id.name, err)
	}
	set := cap.NewSet()
	if err := set.SetFlag(cap.Permitted, true, keep...); err != nil {
		return err
	}
	if err := set.SetFlag(cap.Effective, true, keep...); err != nil {
		return err
	}
	if err := set.SetProc(); err != nil {
		// A container may have been given fewer rights: keep what is there.
		return keepAtMost(set, keep, err)
	}
	return nil
}

func keepAtMost(wanted *cap.Set, keep []cap.Value, cause error) error {
	have := cap.GetProc()
	missing := []cap.Value{}
	for _, v := range keep {
		if on, _ := have.GetFlag(cap.Permitted, v); !on {
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return fmt.Errorf("cannot reduce capabilities: %w", cause)
	}
	for _, flag := range []cap.Flag{cap.Permitted, cap.Effective} {
		if err := wanted.SetFlag(flag, false, missing...); err != nil {
			return err
		}
	}
	return wanted.SetProc()
}
