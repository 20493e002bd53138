package acl

import "strings"

// domains is a set of domain names. One with a leading dot covers itself and
// everything below; one without is that very host.
type domains struct {
	exact   map[string]struct{}
	covered map[string]struct{} // without the leading dot
}

func compileDomains(values []string) *domains {
	d := &domains{exact: map[string]struct{}{}, covered: map[string]struct{}{}}
	for _, v := range values {
		v = lower(v)
		if rest, dotted := strings.CutPrefix(v, "."); dotted {
			d.covered[rest] = struct{}{}
		} else {
			d.exact[v] = struct{}{}
		}
	}
	return d
}

// has looks for a host name in lower case. Dots in front of it do not count.
func (d *domains) has(host string) bool {
	host = strings.TrimLeft(host, ".")
	if host == "" {
		return false
	}
	if _, ok := d.exact[host]; ok {
		return true
	}
	if len(d.covered) == 0 {
		return false
	}
	for {
		if _, ok := d.covered[host]; ok {
			return true
		}
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return false
		}
		host = host[dot+1:]
	}
}
