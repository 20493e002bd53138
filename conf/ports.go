package conf

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/parser"
)

// PortSettings are the addresses the proxy listens on.
type PortSettings struct {
	// HTTPPorts is http_port (ascii_port).
	HTTPPorts []*HTTPPort
	// HTTPSPorts is https_port.
	HTTPSPorts []*HTTPSPort
	// ICPPort is icp_port (udp_port); 0 turns ICP off.
	ICPPort uint16
	// HTCPPort is htcp_port; 0 turns HTCP off.
	HTCPPort uint16
	// SNMPPort is snmp_port; 0 turns SNMP off.
	SNMPPort uint16
	// UDPIncomingAddress is udp_incoming_address; 0.0.0.0 for all.
	UDPIncomingAddress netip.Addr
	// UDPOutgoingAddress is udp_outgoing_address; 255.255.255.255 means the
	// socket of udp_incoming_address is used.
	UDPOutgoingAddress netip.Addr
	// SNMPIncomingAddress is snmp_incoming_address.
	SNMPIncomingAddress netip.Addr
	// SNMPOutgoingAddress is snmp_outgoing_address; 255.255.255.255 means the
	// socket of snmp_incoming_address is used.
	SNMPOutgoingAddress netip.Addr
}

// VPortLocal is HTTPPort.VPort for the bare word vport: the port of the
// connection's local address.
const VPortLocal = -1

// HTTPPort is one http_port line.
type HTTPPort struct {
	// Addr is where to listen; the address is 0.0.0.0 when the line gave a port only.
	Addr netip.AddrPort
	// Host is the host name the line gave in place of an address, else "".
	Host string
	// Transparent: connections arrive here by interception (REDIRECT or TPROXY).
	Transparent bool
	// TProxy: the client's address is used towards the origin.
	TProxy bool
	// Accel: accelerator mode, given by accel or implied by vhost, vport and defaultsite.
	Accel bool
	// VHost: the Host header names the site.
	VHost bool
	// VPort is 0 without vport, VPortLocal for the bare word, else the number.
	VPort int
	// DefaultSite is defaultsite= or the host name of the listening address.
	// HasDefaultSite tells an empty one from none.
	DefaultSite    string
	HasDefaultSite bool
	// Protocol is the scheme of rebuilt URLs ("http" unless given).
	Protocol string
	// URLGroup is the group for acl urlgroup.
	URLGroup string
	// Name is name=.
	Name string
	// NoConnectionAuth: NTLM and Negotiate of origins are not relayed on this port.
	NoConnectionAuth bool
	// HTTP11 (extension, 2.7): HTTP/1.1 towards clients.
	HTTP11 bool
	// Passes (ours): the port reads the ClientHello of intercepted TLS connections and
	// passes their bytes on: https_port with transparent or tproxy and without cert=.
	Passes bool
	// ActAsOrigin (extension, 2.7): an accelerator's replies are dated by us.
	ActAsOrigin bool
	// AccelIgnored: vhost and vport stood beside transparent and tproxy, as in old
	// instructions ("http_port 80 transparent tproxy vhost vport=80", accepted up to
	// STABLE3). They have no effect: Accel, VHost and VPort are unset.
	AccelIgnored bool

	Pos parser.Pos
}

// HTTPSPort is one https_port line: an HTTPPort plus its TLS settings.
type HTTPSPort struct {
	HTTPPort
	Cert, Key, Options, Cipher, ClientCA string
	CAFile, CAPath, CRLFile, DHParams    string
	SSLFlags, SSLContext                 string
	// Version is 0 when not given, else 1 automatic, 2 SSLv2, 3 SSLv3, 4 TLSv1.
	Version int
}

// Ports are the lines that connections are accepted for: every http_port, and the
// https_ports that pass TLS on.
func (c *Config) Ports() []*HTTPPort {
	list := c.HTTPPorts[:len(c.HTTPPorts):len(c.HTTPPorts)]
	for _, p := range c.HTTPSPorts {
		if p.Passes {
			list = append(list, &p.HTTPPort)
		}
	}
	return list
}
