package acl

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// IndirectClient finds the client behind trusted proxies: from the right, each address
// of X-Forwarded-For is believed while the one that named it is allowed by
// follow_x_forwarded_for. With known (acl_uses_indirect_client) it becomes f.Client;
// without, nothing is known of the next one, so only the last address can be believed.
// Behind the first maxForwarded addresses nothing is looked at.
func (s *Set) IndirectClient(ctx context.Context, f *Facts, known bool) netip.Addr {
	list := &s.FollowXForwardedFor
	if list.Empty() || !f.Request.Has(http1.XForwardedFor) {
		return f.Client
	}
	facts := *f
	chain := string(f.Request.AppendList(nil, http1.XForwardedFor))
	for hop := 0; hop < maxForwarded && len(chain) > 0 && list.Check(ctx, &facts).Allowed(); hop++ {
		chain = strings.TrimRight(chain, forwardedSeparators)
		cut := strings.LastIndexAny(chain, forwardedSeparators) + 1
		addr, ok := forwardedAddress(chain[cut:])
		if !ok {
			break
		}
		facts.Client = addr
		chain = chain[:cut]
		if !known {
			return addr
		}
	}
	f.Client = facts.Client
	return f.Client
}

// maxForwarded bounds the checks one request costs: each may ask DNS or a helper.
const maxForwarded = 64

// forwardedSeparators stand between the addresses of X-Forwarded-For.
const forwardedSeparators = ", \t\r\n\v\f"

// forwardedAddress reads an address of X-Forwarded-For: of IPv6, or of IPv4 in
// any form the C library's inet_aton knows, as in 2.6: one to four numbers, the
// last filling what is left, octal after "0" and hexadecimal after "0x".
func forwardedAddress(text string) (netip.Addr, bool) {
	if strings.Contains(text, ":") {
		addr, err := netip.ParseAddr(text)
		return addr.Unmap(), err == nil && addr.Zone() == ""
	}
	var all uint64
	for bits := 32; ; {
		number, rest, more := strings.Cut(text, ".")
		n, ok := number32(number)
		switch {
		case !ok, more && (n > 255 || bits == 8), !more && n>>bits != 0:
			return netip.Addr{}, false
		case !more:
			all |= n
			return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
		}
		bits -= 8
		all |= n << bits
		text = rest
	}
}

// number32 reads a number of up to 32 bits as C writes it.
func number32(text string) (uint64, bool) {
	if text == "" || text[0] < '0' || text[0] > '9' || strings.ContainsAny(text, "_bBoO") && !strings.HasPrefix(strings.ToLower(text), "0x") {
		return 0, false // strconv knows more forms than C
	}
	n, err := strconv.ParseUint(text, 0, 32)
	return n, err == nil && !strings.Contains(text, "_")
}
