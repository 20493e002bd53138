package conf

import "net/netip"

var wccpRows = []Directive{
	{Name: "wccp_router", Default: "0.0.0.0", kind: address(func(c *Config) *netip.Addr { return &c.WCCP.Router }), Effect: Acts,
		Help: "The router of WCCP version 1; 0.0.0.0 for none."},
	{Name: "wccp2_router", kind: wccpRouters(func(w *WCCP) *[]netip.AddrPort { return &w.V2Routers }), Effect: Acts,
		Example: "wccp2_router 192.0.2.1\nwccp2_router 192.0.2.2",
		Help:    "The routers of WCCP version 2. Without any the protocol is off. IPv6 ones (ours) are spoken to in version 2.01, with layer 2; no wccp2_address then."},
	{Name: "wccp_version", Default: "4", kind: number(func(c *Config) *int { return &c.WCCP.Version }), Effect: Acts,
		Help: "The version number in WCCP 1 packets: 4 is right, very old routers want 3."},
	{Name: "wccp2_rebuild_wait", Default: "on", Since: "STABLE2", kind: onOff(func(c *Config) *bool { return &c.WCCP.RebuildWait }), Effect: Acts,
		Help: "Whether routers hear of this cache only when its index has been read. Until then they send nothing here."},
	{Name: "wccp2_forwarding_method", Default: "1", kind: wccpMethod("gre", "l2", func(c *Config) *int { return &c.WCCP.ForwardingMethod }), Effect: Acts,
		Help: "How the router sends packets here: 1 in GRE, 2 by rewriting the hardware address (the router must be a neighbour)."},
	{Name: "wccp2_return_method", Default: "1", kind: wccpMethod("gre", "l2", func(c *Config) *int { return &c.WCCP.ReturnMethod }), Effect: Acts,
		Help: "How packets the cache does not want go back: 1 in GRE, 2 by hardware address."},
	{Name: "wccp2_assignment_method", Default: "1", Since: "STABLE4", kind: wccpMethod("hash", "mask", func(c *Config) *int { return &c.WCCP.AssignmentMethod }), Effect: Acts,
		Help: "How the router divides packets among caches: 1 hash, 2 mask (switches)."},
	{Name: "wccp2_service", IfNone: "standard 0", kind: wccpServices(), Effect: Acts,
		Example: "wccp2_service dynamic 80\nwccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80\nwccp2_service dynamic 90 password=secret\nwccp2_service_info 90 protocol=tcp flags=dst_ip_hash,ports_source priority=240 ports=80",
		Help:    "A service of WCCP 2: standard 0 is web traffic as routers know it; dynamic ones are described by wccp2_service_info. password= protects it with MD5, eight characters at most."},
	{Name: "wccp2_service_info", kind: wccpServiceInfo(), Effect: Acts,
		Help: "What a dynamic service is: protocol=tcp or udp, priority=0 to 255, ports= up to eight, flags= src_ip_hash dst_ip_hash source_port_hash dst_port_hash ports_source src_ip_alt_hash dst_ip_alt_hash src_port_alt_hash dst_port_alt_hash. The order of the options is free."},
	{Name: "wccp2_weight", Default: "10000", Since: "STABLE4", kind: number(func(c *Config) *int { return &c.WCCP.Weight }), Effect: Acts,
		Help: "This cache's share of the traffic, relative to the other caches' weights."},
	{Name: "wccp_address", Default: "0.0.0.0", kind: address(func(c *Config) *netip.Addr { return &c.WCCP.Address }), Effect: Acts,
		Help: "The address WCCP 1 packets come from; 0.0.0.0 leaves it to the system."},
	{Name: "wccp2_address", Default: "0.0.0.0", kind: address(func(c *Config) *netip.Addr { return &c.WCCP.V2Address }), Effect: Acts,
		Help: "The address WCCP 2 packets come from; 0.0.0.0 leaves it to the system."},
}
