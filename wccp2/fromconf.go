package wccp2

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Enabled reports whether the configuration names any WCCP router.
func Enabled(c *conf.WCCP) bool { return len(c.V2Routers) > 0 || v1Enabled(c) }

func v1Enabled(c *conf.WCCP) bool { return c.Router.IsValid() && !c.Router.IsUnspecified() }

// FromConf makes a Config of the wccp_ and wccp2_ directives. Local is left to
// the Runner. The notes say what of the directives cannot be had.
func FromConf(c *conf.WCCP) (cfg Config, notes []string) {
	cfg = Config{
		Forwarding: uint32(c.ForwardingMethod),
		Return:     uint32(c.ReturnMethod),
		Assignment: uint32(c.AssignmentMethod),
		Weight:     uint16(min(max(c.Weight, 0), math.MaxUint16)),

		Mask:         c.Mask,
		ShutdownWait: c.ShutdownWait,
	}
	if c.Division == conf.WCCPDivideMinimal {
		cfg.Division = DivideSticky
	}
	if c.Weight != int(cfg.Weight) {
		notes = append(notes, fmt.Sprintf("wccp2_weight %d does not fit the protocol, %d is announced", c.Weight, cfg.Weight))
	}
	for _, r := range c.V2Routers {
		if to := withPort(r); !slices.Contains(cfg.Routers, to) {
			cfg.Routers = append(cfg.Routers, to)
		}
	}
	if slices.ContainsFunc(cfg.Routers, isIPv6) && cfg.methods(false) != cfg.methods(true) {
		notes = append(notes, "wccp2_forwarding_method and wccp2_return_method are for IPv4 routers; those of IPv6 are asked for layer 2")
	}
	if n := len(cfg.Routers); n > maxRouters {
		notes = append(notes, fmt.Sprintf("of %d wccp2_router the first %d are used", n, maxRouters))
		cfg.Routers = cfg.Routers[:maxRouters]
	}
	if len(cfg.Routers) > 0 {
		for _, s := range c.Services {
			svc := serviceFrom(s)
			if slices.ContainsFunc(cfg.Services, func(x Service) bool { return x.ServiceID == svc.ServiceID }) {
				notes = append(notes, fmt.Sprintf("wccp2_service %s stands there twice, the first counts", svc.ServiceID))
				continue
			}
			cfg.Services = append(cfg.Services, svc)
		}
	}
	if v1Enabled(c) {
		cfg.V1 = &V1Config{Router: withPort(netip.AddrPortFrom(c.Router, 0)), Version: uint32(c.Version)}
	}
	return cfg, notes
}

// withPort unmaps the address and fills in WCCP's port; 2.6 sent to no other
// whatever the line said.
func withPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), wire.Port)
}

func isIPv6(a netip.AddrPort) bool { return a.Addr().Is6() }

// serviceFrom takes over one service. A standard one is known by its number
// alone: everything else is zero (draft 5.6.2; FACTS "HERE_I_AM").
func serviceFrom(s *conf.WCCPService) Service {
	out := Service{Secure: s.HasPassword, Password: s.Password}
	out.ID = s.ID
	if !s.Dynamic {
		return out
	}
	out.Type = wire.Dynamic
	if s.HasInfo {
		out.Priority, out.Protocol, out.Flags = s.Priority, s.Protocol, uint32(s.Flags)
		out.Ports = s.Ports
	}
	return out
}
