package wccp2

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Enabled tells whether the configuration names any WCCP router.
func Enabled(c *conf.WCCP) bool { return len(c.V2Routers) > 0 || v1Enabled(c) }

func v1Enabled(c *conf.WCCP) bool { return c.Router.IsValid() && !c.Router.IsUnspecified() }

// FromConf makes a Config of the wccp_ and wccp2_ directives. Local is left to the Runner.
func FromConf(c *conf.WCCP) Config {
	cfg := Config{
		Forwarding: uint32(c.ForwardingMethod),
		Return:     uint32(c.ReturnMethod),
		Assignment: uint32(c.AssignmentMethod),
		Weight:     uint16(min(max(c.Weight, 0), unstated-1)),

		Mask:         c.Mask,
		ShutdownWait: c.ShutdownWait,
	}
	if c.Division == conf.WCCPDivideMinimal {
		cfg.Division = DivideSticky
	}
	for _, r := range c.V2Routers {
		cfg.Routers = append(cfg.Routers, withPort(r))
	}
	if len(c.V2Routers) > 0 {
		for _, s := range c.Services {
			cfg.Services = append(cfg.Services, serviceFrom(s))
		}
	}
	if v1Enabled(c) {
		cfg.V1 = &V1Config{Router: withPort(netip.AddrPortFrom(c.Router, 0)), Version: uint32(c.Version)}
	}
	return cfg
}

// withPort unmaps the address and fills in WCCP's port; 2.6 sent to no other
// whatever the line said.
func withPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), wire.Port)
}

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
