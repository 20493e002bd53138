package wccp2

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// negotiable lists what has to be agreed on, with the names of the methods (draft 4.4, 4.5).
var negotiable = []struct {
	capability wire.CapabilityType
	name       string
	methods    [2]string
	directive  string
}{
	{wire.ForwardingMethod, "forwarding", [2]string{"GRE", "L2"}, "wccp2_forwarding_method"},
	{wire.AssignmentMethod, "assignment", [2]string{"hash", "mask"}, "wccp2_assignment_method"},
	{wire.ReturnMethod, "return", [2]string{"GRE", "L2"}, "wccp2_return_method"},
}

// methods are what a group asks its routers for.
type methods struct{ forwarding, assignment, returning uint32 }

// methods are the configured ones. Routers of IPv6 are asked for layer 2 whatever is
// configured: they wrap packets in GRE over IPv6, which is not received here.
func (c *Config) methods(v6 bool) methods {
	if v6 {
		return methods{wire.MethodL2, c.Assignment, wire.MethodL2}
	}
	return methods{c.Forwarding, c.Assignment, c.Return}
}

// negotiate compares what the router offers for the service with what is configured
// and reports whether the verdict changed. A router that offers nothing means GRE
// and hash (draft 4.4, 4.5). A mismatch keeps that router out of that service
// until it offers something else; everything else goes on.
func (e *Engine) negotiate(g *group, r *router, offers []wire.Capability) (changed bool) {
	var wrong []string
	for i, n := range negotiable {
		want := [...]uint32{g.methods.forwarding, g.methods.assignment, g.methods.returning}[i]
		have, ok := wire.Methods(offers, n.capability)
		if !ok {
			have = wire.MethodGRE // and MethodHash, both the first bit
		}
		if have&want == 0 {
			wrong = append(wrong, fmt.Sprintf("it offers %s %s where %s asks for %s",
				n.name, methodNames(have, n.methods), n.directive, methodNames(want, n.methods)))
		}
	}
	refusal := strings.Join(wrong, ", ")
	if refusal == r.refusal {
		return false
	}
	was := r.refusal
	r.refusal = refusal
	switch {
	case refusal != "":
		e.loud("WCCPv2: router {router} cannot be used for service {service}: {refusal}",
			zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID), zap.String("refusal", refusal))
	case was != "":
		e.log("WCCPv2: router {router} can be used for service {service} again",
			zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID))
	}
	return true
}

func methodNames(bits uint32, names [2]string) string {
	switch bits {
	case 0:
		return "nothing"
	case 1:
		return names[0]
	case 2:
		return names[1]
	case 3:
		return names[0] + " and " + names[1]
	}
	return fmt.Sprintf("%#x", bits)
}
