package dns

import (
	"net/netip"
	"os"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// resolvConfPath is where name servers stand when dns_nameservers names none.
const resolvConfPath = "/etc/resolv.conf"

// FromConfig reads what cfg says about DNS, resolv.conf when cfg names no
// servers, and the hosts file. What is missing or wrong in those files is
// logged and passed over: a proxy without DNS still serves addresses.
func FromConfig(cfg *conf.Config, log *zap.Logger) Options {
	o := Options{
		Retransmit:  cfg.DNSRetransmitInterval,
		Timeout:     cfg.DNSTimeout,
		PositiveTTL: cfg.PositiveDNSTTL,
		NegativeTTL: cfg.NegativeDNSTTL,
		AddrEntries: cfg.IPCacheSize,
		AddrHigh:    cfg.IPCacheHigh,
		AddrLow:     cfg.IPCacheLow,
		NameEntries: cfg.FQDNCacheSize,
		TakeTurns:   cfg.BalanceOnMultipleIP,
		Local:       outgoing(cfg),

		NoAAAA: cfg.DNSAAAA == conf.Off,

		VerifyMemory: cfg.HostVerifyMemory,

		Hosts: readHosts(cfg.HostsFile, cfg.AppendDomain, log),
	}
	if cfg.DNSAAAA == conf.On {
		o.IPv6 = func() bool { return true }
	}
	for _, text := range cfg.DNSNameservers {
		log.Info("Adding nameserver {server} from squid.conf", zap.String("server", text))
		o.addServer(text, log)
	}
	if len(o.Servers) == 0 {
		o.readResolvConf(resolvConfPath, cfg.DNSDefnames, log)
	}
	if len(o.Servers) == 0 {
		log.Info("Warning: Could not find any nameservers. Trying to use localhost")
		o.addServer("127.0.0.1", log)
	}
	return o
}

func (o *Options) addServer(text string, log *zap.Logger) {
	addr, ok := ServerAddr(text)
	if !ok {
		log.Warn("WARNING: rejecting '{server}' as a name server, because it is not a numeric IP address", zap.String("server", text))
		return
	}
	o.Servers = append(o.Servers, netip.AddrPortFrom(addr, serverPort))
}

// readResolvConf takes servers from resolv.conf and, with dns_defnames, its
// search list; without one the domain of this host is searched.
func (o *Options) readResolvConf(path string, defnames bool, log *zap.Logger) {
	f, err := os.Open(path)
	if err != nil {
		log.Info("{error}", report.Error(err))
		return
	}
	defer f.Close()
	rc := ParseResolvConf(f)
	for _, addr := range rc.Servers {
		log.Info("Adding nameserver {server} from {file}", zap.Stringer("server", addr), zap.String("file", path))
		o.Servers = append(o.Servers, netip.AddrPortFrom(addr, serverPort))
	}
	for _, text := range rc.Rejected {
		o.addServer(text, log) // says why not
	}
	if o.Dots = rc.Dots; rc.Dots != 1 {
		log.Info("Adding ndots {ndots} from {file}", zap.Int("ndots", rc.Dots), zap.String("file", path))
	}
	for _, domain := range rc.Search {
		log.Info("Adding domain {domain} from {file}", zap.String("domain", domain), zap.String("file", path))
	}
	if defnames {
		o.Search = rc.Search
		if len(o.Search) == 0 {
			o.Search = ownDomain()
		}
	}
}

// ownDomain is the domain of the host's name, none when it has no dot.
func ownDomain() []string {
	name, _ := os.Hostname()
	for i := range name {
		if name[i] == '.' && i+1 < len(name) {
			return []string{name[i+1:]}
		}
	}
	return nil
}

// readHosts reads hosts_file; "none" and "" name no file.
func readHosts(path, appendDomain string, log *zap.Logger) *Hosts {
	if path == "" || path == "none" {
		return new(Hosts)
	}
	f, err := os.Open(path)
	if err != nil {
		log.Info("hosts_file: {error}", report.Error(err))
		return new(Hosts)
	}
	defer f.Close()
	hosts, rejected := ParseHosts(f, appendDomain)
	for _, text := range rejected {
		log.Info("hosts_file: {file}: '{address}' is no IP address, its line is ignored", zap.String("file", path), zap.String("address", text))
	}
	return hosts
}

// outgoing is udp_outgoing_address, or udp_incoming_address where that one is
// 255.255.255.255; the zero value for any address.
func outgoing(cfg *conf.Config) netip.Addr {
	addr := cfg.UDPOutgoingAddress
	if !addr.IsValid() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		addr = cfg.UDPIncomingAddress
	}
	if !addr.IsValid() || addr.IsUnspecified() {
		return netip.Addr{}
	}
	return addr
}
