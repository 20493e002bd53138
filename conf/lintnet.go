package conf

import "fmt"

// lintInterception finds set-ups of TPROXY and WCCP that lose packets.
func (b *builder) lintInterception() {
	c := b.cfg
	var tproxy *HTTPPort
	for _, p := range c.HTTPPorts {
		if p.TProxy {
			tproxy = p
			break
		}
	}
	if tproxy != nil && len(c.TCPOutgoingAddress) == 0 && !b.gaps["tcp_outgoing_address"] {
		b.finding(tproxy.Pos, len("http_port"), "tproxy-outgoing", "tproxy without tcp_outgoing_address",
			"Connections that are not made from a client's address need one that replies come back to.")
	}
	var toClients, toServers *WCCPService // whose packets have the service's port as source, as destination
	for _, s := range c.WCCP.Services {
		switch {
		case s.Dynamic && s.InfoPos.IsZero() && b.gaps["wccp2_service_info"]:
		case s.Dynamic && s.InfoPos.IsZero():
			b.finding(s.Pos, len("wccp2_service"), "wccp-info", fmt.Sprintf("dynamic service %d has no wccp2_service_info", s.ID),
				"A router does not know what to redirect for it.")
		case !s.HasInfo:
		case s.Flags&WCCPPortsSource != 0:
			toClients = s
		default:
			toServers = s
		}
	}
	if tproxy == nil || len(c.WCCP.V2Routers) == 0 || b.gaps["wccp2_service"] || b.gaps["wccp2_service_info"] {
		return
	}
	switch {
	case toServers == nil && toClients == nil:
	case toClients == nil:
		b.finding(toServers.InfoPos, len("wccp2_service_info"), "wccp-pairing", "with tproxy the way back needs a service of its own",
			"Replies are addressed to the clients. Add a service with flags=dst_ip_hash,ports_source and redirect it on the way back.")
	case toServers == nil:
		b.finding(toClients.InfoPos, len("wccp2_service_info"), "wccp-pairing", "with tproxy the way to the origins needs a service of its own",
			"Add a service with flags=src_ip_hash.")
	case !paired(toServers.Flags, toClients.Flags):
		b.finding(toClients.InfoPos, len("wccp2_service_info"), "wccp-pairing",
			fmt.Sprintf("the hash flags of services %d and %d do not pair", toServers.ID, toClients.ID),
			"Both directions of a connection must reach the same cache: src_ip_hash on the one, dst_ip_hash,ports_source on the other.")
	}
}

// paired reports whether two services, one for each direction, hash the same address:
// what is the source of one is the destination of the other.
func paired(out, back WCCPFlags) bool {
	const hashes = WCCPSrcIPHash | WCCPDstIPHash | WCCPSrcPortHash | WCCPDstPortHash
	swapped := WCCPFlags(0)
	for _, p := range [][2]WCCPFlags{{WCCPSrcIPHash, WCCPDstIPHash}, {WCCPDstIPHash, WCCPSrcIPHash},
		{WCCPSrcPortHash, WCCPDstPortHash}, {WCCPDstPortHash, WCCPSrcPortHash}} {
		if back&p[0] != 0 {
			swapped |= p[1]
		}
	}
	return out&hashes != 0 && out&hashes == swapped
}
