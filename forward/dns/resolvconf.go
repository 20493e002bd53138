package dns

import (
	"bufio"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// serverPort is where name servers listen (RFC 1035 section 4.2).
const serverPort = 53

// ResolvConf is the part of resolv.conf(5) that 2.6 reads.
type ResolvConf struct {
	Servers []netip.Addr
	Search  []string
	Dots    int
	// Rejected are nameserver values that are no addresses.
	Rejected []string
}

// ParseResolvConf reads a resolv.conf. The last domain or search line wins.
// Unknown lines are passed over; reading ends at a line above 64 KB.
func ParseResolvConf(r io.Reader) ResolvConf {
	rc := ResolvConf{Dots: 1}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "nameserver":
			if addr, ok := ServerAddr(words[1]); ok {
				rc.Servers = append(rc.Servers, addr)
			} else {
				rc.Rejected = append(rc.Rejected, words[1])
			}
		case "domain":
			rc.Search = words[1:2]
		case "search":
			rc.Search = words[1:]
		case "options":
			for _, word := range words[1:] {
				if n, ok := strings.CutPrefix(word, "ndots:"); ok {
					dots, _ := strconv.Atoi(n)
					rc.Dots = min(max(dots, 1), 15)
				}
			}
		}
	}
	return rc
}

// ServerAddr reads the address of a name server. 0.0.0.0 means this host.
func ServerAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, false
	}
	if addr = addr.Unmap(); addr == netip.IPv4Unspecified() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	return addr, true
}
