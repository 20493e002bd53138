package dns

import (
	"bufio"
	"io"
	"net/netip"
	"strings"
)

// Hosts is the content of a hosts file. It is immutable.
type Hosts struct {
	addrs map[string][]netip.Addr // by canonical name: at most one of each family
	names map[netip.Addr]string   // first name of the last line of the address
}

// ParseHosts reads a hosts file. Where lines contradict each other the last one
// counts, in both directions (recorded fact: logs/log-fqdn). appendDomain (with
// its leading dot, or "") is put behind names without a dot. Lines that begin
// with no address are returned as rejected.
func ParseHosts(r io.Reader, appendDomain string) (hosts *Hosts, rejected []string) {
	hosts = &Hosts{addrs: map[string][]netip.Addr{}, names: map[netip.Addr]string{}}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		text, _, _ := strings.Cut(words[0], "%")
		addr, err := netip.ParseAddr(text)
		if err != nil {
			rejected = append(rejected, words[0])
			continue
		}
		addr = addr.Unmap()
		for i, word := range words[1:] {
			if appendDomain != "" && !strings.Contains(word, ".") {
				word += appendDomain
			}
			if i == 0 {
				hosts.names[addr] = word
			}
			hosts.put(canonical(word), addr)
		}
	}
	return hosts, rejected
}

// put makes addr the address of its family for name.
func (h *Hosts) put(name string, addr netip.Addr) {
	have := h.addrs[name]
	for i := range have {
		if have[i].Is4() == addr.Is4() {
			have[i] = addr
			return
		}
	}
	if addr.Is4() {
		have = append([]netip.Addr{addr}, have...)
	} else {
		have = append(have, addr)
	}
	h.addrs[name] = have
}

// Len is the number of names.
func (h *Hosts) Len() int { return len(h.addrs) }
