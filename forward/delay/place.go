package delay

import "net/netip"

// place is which buckets of a pool are a client's.
type place struct{ network, host uint8 }

// placeOf names them as 2.6 does, by the third octet of an IPv4 address (the network,
// class 3) and the fourth (the host). Of an IPv6 address, which 2.6 does not know, the
// first half is the network and the second the host, each folded into one octet: hosts
// that are numbered in a row, and networks that are, have a bucket each, and who
// changes his address within his network has at most 256, all of his one network.
func placeOf(client netip.Addr) place {
	client = client.Unmap()
	if client.Is4() {
		b := client.As4()
		return place{b[2], b[3]}
	}
	var p place
	for i, octet := range client.As16() {
		if i < 8 {
			p.network ^= octet
		} else {
			p.host ^= octet
		}
	}
	return p
}
