package conf

import "net/netip"

// MulticastMiss holds the mcast_miss_ directives, known to 2.6 only in special builds.
type MulticastMiss struct {
	// Addr is mcast_miss_addr; 255.255.255.255 for off.
	Addr netip.Addr
	// TTL is mcast_miss_ttl.
	TTL uint16
	// Port is mcast_miss_port.
	Port uint16
	// EncodeKey is mcast_miss_encode_key.
	EncodeKey string
}
