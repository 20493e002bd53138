package dns

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// hostHasIPv6 reports whether an interface has a global IPv6 address. It looks
// at most once a minute: addresses come and go.
func hostHasIPv6() func() bool {
	var mu sync.Mutex
	var looked time.Time
	var has bool
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); looked.IsZero() || now.Sub(looked) > time.Minute {
			looked, has = now, anyGlobalIPv6()
		}
		return has
	}
}

func anyGlobalIPv6() bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		network, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		addr, ok := netip.AddrFromSlice(network.IP)
		if ok && addr.Is6() && !addr.Is4In6() && addr.IsGlobalUnicast() {
			return true
		}
	}
	return false
}
