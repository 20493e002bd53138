package conf

import (
	"fmt"
	"strings"
)

// CompareDomain orders a host name against a domain as 2.6 does: from the right
// end, without case. 0 means the host is in the domain: they are equal, or the
// domain begins with a dot and the host is the domain or ends with it.
func CompareDomain(host, domain string) int {
	for len(host) > 0 && host[0] == '.' {
		host = host[1:]
	}
	h, d := len(host), len(domain)
	for {
		h--
		d--
		var hc, dc byte
		if h >= 0 {
			hc = lowerByte(host[h])
		}
		if d >= 0 {
			dc = lowerByte(domain[d])
		}
		switch {
		case hc != dc:
			switch {
			case dc == '.':
				return 1
			case hc == '.':
				return -1
			}
			return int(hc) - int(dc)
		case h <= 0 && d <= 0:
			return 0
		case h <= 0:
			if d == 1 && domain[0] == '.' {
				return 0
			}
			return -1
		case d == 0:
			if domain[0] == '.' {
				return 0
			}
			return 1
		}
	}
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// readDomains reads the values of dstdomain and srcdomain.
func readDomains(r *reader, a *ACL) error {
	known := r.b.state(a).domainsOf(r.b, a)
	for v := range each(r.value) {
		d := lowerASCII(v.text)
		if !a.Domains.texts.fits(d) {
			return r.bungledAt(v.span, fmt.Sprintf("acl %s has more than 4 GB of values", a.Name), "")
		}
		switch {
		case known.insert(r.b, d):
			if strings.ContainsAny(d, "/:*") {
				r.warnValue(v, "domain-form", fmt.Sprintf("%q is no domain and matches nothing", v.text),
					"Values are plain names; a leading dot stands for every name below.", "")
			}
		default:
			a.overlaps = true
			r.warnValue(v, "acl-overlap", fmt.Sprintf("%s overlaps an earlier value of acl %s and is ignored", v.text, a.Name),
				"2.6 keeps the entry it read first, even when the later one is larger.", "")
		}
	}
	return nil
}

// lowerASCII folds A to Z only: the C locale knows no other letters.
func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lowerByte(b[i])
			}
			return string(b)
		}
	}
	return s
}
