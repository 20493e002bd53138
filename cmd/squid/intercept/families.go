package intercept

import (
	"github.com/cuttle-proxy/cuttle/conf"
)

// admitsIPv6 reports whether http_access could let a client of IPv6 in. A file
// written for IPv4 lets in its own networks alone: whoever came by IPv6 and was
// intercepted would be refused where without the proxy all was well.
func admitsIPv6(cfg *conf.Config) bool {
	for _, rule := range cfg.HTTPAccess {
		possible, certain := true, true // an IPv6 client matches the line
		for _, ref := range rule.ACLs {
			if ref.ACL.Type != conf.ACLSrc {
				certain = false
				continue
			}
			some, all := holdsIPv6(ref.ACL), holdsAll(ref.ACL)
			if ref.Negate {
				some, all = !all, !some
			}
			possible, certain = possible && some, certain && all
		}
		switch {
		case rule.Allow && possible:
			return true
		case !rule.Allow && certain:
			return false
		}
	}
	return false
}

// holdsIPv6 reports whether addresses of IPv6 can be in a src ACL.
func holdsIPv6(a *conf.ACL) bool {
	return holdsAll(a) || a.Networks.Has6()
}

// holdsAll reports whether every address is in it: 0.0.0.0/0 stands for both families.
func holdsAll(a *conf.ACL) bool {
	return a.Networks.HasAll()
}
