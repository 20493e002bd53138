package forward

import (
	"net"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/conf"
)

// facing is the address the client takes itself to be connected to.
func (cl *client) facing() netip.AddrPort {
	if cl.intercepted {
		return cl.meant
	}
	return cl.local
}

// own is the proxy's socket that the client was handed to, for ACLs and logs. The
// socket of a TPROXY connection bears the address the client dialled; its own are
// those of the http_port line, and where that names no address the one the host has
// towards the client, which costs a socket and is found out only when somebody asks.
func (cl *client) own(p *policy) netip.AddrPort {
	if !p.asksOwn || !cl.local.Addr().IsUnspecified() {
		return cl.local
	}
	if addr := towards(cl.remote); addr.IsValid() {
		cl.local = netip.AddrPortFrom(addr, cl.local.Port())
	}
	return cl.local
}

// towards is the address this host would use towards another one.
func towards(remote netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(remote)) // sends nothing
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// asksOwn reports whether an ACL or a log shows the proxy's own address.
func asksOwn(cfg *conf.Config) bool {
	for _, a := range cfg.ACLs {
		if a.Type == conf.ACLMyIP {
			return true
		}
	}
	for _, f := range cfg.LogFormats {
		for i := range f.Tokens {
			if f.Tokens[i].Code == "la" {
				return true
			}
		}
	}
	return false
}
