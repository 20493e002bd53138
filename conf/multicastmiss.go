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
	// EncodeKey is mcast_miss_encode_key, MissKeySize characters or more.
	EncodeKey string
}

// Wanted reports whether misses are told to anybody.
func (m *MulticastMiss) Wanted() bool {
	return m.Addr.IsValid() && m.Addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// MissKeySize is how many characters of mcast_miss_encode_key are used; 2.6 ends at the
// start when there are fewer.
const MissKeySize = 16

// missKey is a key for packets about misses.
func missKey(field func(*Config) *string) kind {
	return single("word", field, func(r *reader) (string, error) {
		key, err := r.need("a key of 16 characters")
		if err == nil && len(key) < MissKeySize {
			err = r.bungledAt(r.all(), "the key is too short", "It must have 16 characters.")
		}
		return key, err
	}, asItIs)
}
