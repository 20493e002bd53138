package conf

import "net/netip"

var portRows = []Directive{
	{Name: "http_port", Effect: Acts, Aliases: []string{"ascii_port"}, kind: httpPorts(func(c *Config) *[]*HTTPPort { return &c.HTTPPorts }),
		Example: "http_port 3128\nhttp_port 192.0.2.1:80 transparent\nhttp_port 80 transparent tproxy\nhttp_port 8080 accel defaultsite=www.example.com vhost",
		Help: "Where to listen for HTTP. transparent: connections come by interception. tproxy: origins see the client's own address. " +
			"accel: the proxy stands in front of servers; vhost (the Host header names the site), vport or vport=N (the port does) and defaultsite= imply it, and one of them must be there. " +
			"accel and transparent exclude each other. protocol= is the scheme of rebuilt URLs, urlgroup= marks requests for acl urlgroup, no-connection-auth forbids NTLM and Negotiate of origins, name= is a name of your own. " +
			"There is no default; without any port the proxy does not start."},
	{Name: "https_port", Effect: Acts, Options: inertHTTPS, kind: httpsPorts(func(c *Config) *[]*HTTPSPort { return &c.HTTPSPorts }),
		Example: "https_port 443 transparent tproxy\nhttps_port 443 accel defaultsite=www.example.com cert=/etc/squid/www.pem key=/etc/squid/www.key",
		Help: "With transparent or tproxy and without cert=: intercepted TLS connections are read as far as their ClientHello, judged like CONNECT name:port by the server's name in it (the address where there is none), and passed on byte for byte; " +
			"what http_access denies gets the TLS alert access_denied. With an encrypted ClientHello the name is the outer one, the provider's. What is not TLS follows intercept_unknown_protocol. " +
			"With cert=: where to listen for HTTP inside TLS, which this release does not do. Takes the options of http_port and cert=, key=, version=, options=, cipher=, clientca=, cafile=, capath=, crlfile=, dhparams=, sslflags=, sslcontext=."},
	{Name: "tcp_outgoing_tos", Effect: Acts, Aliases: []string{"tcp_outgoing_ds", "tcp_outgoing_dscp"}, kind: outgoingTOS(func(c *Config) *[]TOSRule { return &c.TCPOutgoingTOS }),
		Help: "Marks connections to origins with an IP type-of-service octet, given as hexadecimal number. The first line whose ACLs hold counts."},
	{Name: "tcp_outgoing_address", Effect: Acts, kind: outgoingAddress(func(c *Config) *[]AddressRule { return &c.TCPOutgoingAddress }),
		Help: "The local address of connections to origins. The first line whose ACLs hold counts. Spoofed connections of a tproxy port do not use it, all others do, so a tproxy set-up needs one that works."},
	{Name: "udp_incoming_address", Effect: Acts, Default: "0.0.0.0", kind: address(func(c *Config) *netip.Addr { return &c.UDPIncomingAddress }),
		Help: "The address of the socket for ICP and HTCP from neighbours."},
	{Name: "udp_outgoing_address", Effect: Acts, Default: "255.255.255.255", kind: address(func(c *Config) *netip.Addr { return &c.UDPOutgoingAddress }),
		Help: "The address of the socket for ICP and HTCP to neighbours. 255.255.255.255 uses the incoming socket. Must differ from udp_incoming_address otherwise."},
	{Name: "icp_port", Effect: Acts, Aliases: []string{"udp_port"}, Default: "3130", kind: port(func(c *Config) *uint16 { return &c.ICPPort }),
		Help: "The UDP port for ICP queries of neighbours; 0 turns ICP off."},
	{Name: "htcp_port", Effect: Acts, Default: "4827", kind: port(func(c *Config) *uint16 { return &c.HTCPPort }),
		Help: "The UDP port for HTCP queries of neighbours; 0 turns HTCP off."},
}

var sslRows = []Directive{
	{Name: "ssl_unclean_shutdown", Default: "off", kind: onOff(func(c *Config) *bool { return &c.SSL.UncleanShutdown }),
		Help: "Whether TLS connections end without a closing handshake, as some old clients need."},
	{Name: "ssl_engine", kind: word(func(c *Config) *string { return &c.SSL.Engine }),
		Help: "The cryptographic engine of OpenSSL to use. There is no OpenSSL here."},
	{Name: "sslproxy_client_certificate", kind: path(func(c *Config) *string { return &c.SSL.ClientCertificate }),
		Help: "The certificate shown to https:// origins."},
	{Name: "sslproxy_client_key", kind: path(func(c *Config) *string { return &c.SSL.ClientKey }),
		Help: "The key of sslproxy_client_certificate."},
	{Name: "sslproxy_version", Default: "1", kind: number(func(c *Config) *int { return &c.SSL.Version }),
		Help: "The protocol towards https:// origins: 1 automatic, 2 SSLv2, 3 SSLv3, 4 TLSv1."},
	{Name: "sslproxy_options", kind: word(func(c *Config) *string { return &c.SSL.Options }),
		Help: "TLS options towards https:// origins, separated by colons."},
	{Name: "sslproxy_cipher", kind: word(func(c *Config) *string { return &c.SSL.Cipher }),
		Help: "Ciphers offered to https:// origins."},
	{Name: "sslproxy_cafile", kind: path(func(c *Config) *string { return &c.SSL.CAFile }),
		Help: "The file with certificates of authorities that https:// origins are checked against."},
	{Name: "sslproxy_capath", kind: path(func(c *Config) *string { return &c.SSL.CAPath }),
		Help: "The folder with certificates of authorities that https:// origins are checked against."},
	{Name: "sslproxy_flags", kind: word(func(c *Config) *string { return &c.SSL.Flags }),
		Help: "Leniency towards https:// origins: DONT_VERIFY_PEER, NO_DEFAULT_CA and so on."},
	{Name: "sslpassword_program", kind: path(func(c *Config) *string { return &c.SSL.PasswordProgram }),
		Help: "The program that prints the pass phrase of an encrypted TLS key; it is given the key's file name."},
}

// snmpRows stand behind wccpRows, where 2.6 has them: the order decides which line
// number a default that cannot be used is blamed on.
var snmpRows = []Directive{
	{Name: "snmp_port", Default: "3401", kind: port(func(c *Config) *uint16 { return &c.SNMPPort }),
		Help: "The UDP port for SNMP; 0 turns SNMP off."},
	{Name: "snmp_access", IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.SNMPAccess }),
		Help: "Decides who gets answers to SNMP queries. Use it with acl snmp_community and src."},
	{Name: "snmp_incoming_address", Default: "0.0.0.0", kind: address(func(c *Config) *netip.Addr { return &c.SNMPIncomingAddress }),
		Help: "The address of the socket for SNMP queries."},
	{Name: "snmp_outgoing_address", Default: "255.255.255.255", kind: address(func(c *Config) *netip.Addr { return &c.SNMPOutgoingAddress }),
		Help: "The address SNMP answers come from. 255.255.255.255 uses the incoming socket."},
}
