package acl

import (
	"context"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/conf"
)

// outgoingAddress is one tcp_outgoing_address line.
type outgoingAddress struct {
	cond Cond
	addr netip.Addr
}

// outgoingTOS is one tcp_outgoing_tos line.
type outgoingTOS struct {
	cond Cond
	tos  uint8
}

// bodySize is one reply_body_max_size line; 2.6 gives each a list of its own,
// so the opposite-of-the-last-line default holds within the line.
type bodySize struct {
	list List
	max  int64
}

func (c *compiler) outgoingAddresses(lines []conf.AddressRule) []outgoingAddress {
	out := make([]outgoingAddress, 0, len(lines))
	for i := range lines {
		out = append(out, outgoingAddress{c.compileCond(lines[i].ACLs), lines[i].Addr})
	}
	return out
}

func (c *compiler) outgoingTOS(lines []conf.TOSRule) []outgoingTOS {
	out := make([]outgoingTOS, 0, len(lines))
	for i := range lines {
		out = append(out, outgoingTOS{c.compileCond(lines[i].ACLs), lines[i].TOS})
	}
	return out
}

func (c *compiler) bodySizes(lines []conf.BodySizeRule) []bodySize {
	out := make([]bodySize, 0, len(lines))
	for i := range lines {
		size := bodySize{list: List{whenEmpty: Allowed}, max: lines[i].Max}
		if r := lines[i].Rule; r != nil {
			size.list.rules = []rule{c.compileRule(r)}
			size.list.settle()
		}
		out = append(out, size)
	}
	return out
}

// OutgoingAddress is tcp_outgoing_address: the local address for connections
// of this transaction, the zero value when no line matches. six asks for an
// IPv6 address; lines of the other family are passed over.
func (s *Set) OutgoingAddress(ctx context.Context, f *Facts, six bool) netip.Addr {
	for i := range s.outgoing {
		o := &s.outgoing[i]
		if o.addr.Is6() == six && o.cond.Match(ctx, f) {
			return o.addr
		}
	}
	return netip.Addr{}
}

// OutgoingTOS is tcp_outgoing_tos: the type-of-service octet for connections
// of this transaction, 0 when no line matches.
func (s *Set) OutgoingTOS(ctx context.Context, f *Facts) uint8 {
	for i := range s.tos {
		if s.tos[i].cond.Match(ctx, f) {
			return s.tos[i].tos
		}
	}
	return 0
}

// OutgoingAsksDst reports whether tcp_outgoing_address or tcp_outgoing_tos judge by the
// address a connection goes to.
func (s *Set) OutgoingAsksDst() bool {
	for i := range s.outgoing {
		if s.outgoing[i].cond.asksDst() {
			return true
		}
	}
	for i := range s.tos {
		if s.tos[i].cond.asksDst() {
			return true
		}
	}
	return false
}

// ReplyBodyMaxSize is reply_body_max_size: the bytes a reply body may have, 0
// for no limit. The first line whose list allows decides.
func (s *Set) ReplyBodyMaxSize(ctx context.Context, f *Facts) int64 {
	for i := range s.bodySizes {
		if s.bodySizes[i].list.Check(ctx, f).Allowed() {
			return s.bodySizes[i].max
		}
	}
	return 0
}
