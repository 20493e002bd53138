package acl

import "github.com/cuttle-proxy/cuttle/conf"

// domains is the names of a dstdomain or srcdomain ACL, as conf keeps them: one with a
// leading dot covers itself and everything below; one without is that very host.
type domains struct{ list *conf.Domains }

// has looks for a host name in lower case. Dots in front of it do not count.
func (d domains) has(host string) bool { return d.list.Has(host) }
