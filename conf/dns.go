package conf

import "time"

// DNSSettings say how names are looked up and remembered.
type DNSSettings struct {
	// DNSRetransmitInterval is dns_retransmit_interval.
	DNSRetransmitInterval time.Duration
	// DNSTimeout is dns_timeout.
	DNSTimeout time.Duration
	// DNSDefnames is dns_defnames.
	DNSDefnames bool
	// DNSNameservers is dns_nameservers; empty means resolv.conf's.
	DNSNameservers []string
	// HostsFile is hosts_file ("none" for no file).
	HostsFile string
	// DNSTestnames is dns_testnames.
	DNSTestnames []string
	// AppendDomain is append_domain with its leading dot, "" when not given.
	AppendDomain string
	// IgnoreUnknownNameservers is ignore_unknown_nameservers.
	IgnoreUnknownNameservers bool
	// IPCacheSize is ipcache_size (entries).
	IPCacheSize int
	// IPCacheLow and IPCacheHigh are ipcache_low and ipcache_high (percent).
	IPCacheLow, IPCacheHigh int
	// FQDNCacheSize is fqdncache_size (entries).
	FQDNCacheSize int
	// CheckHostnames is check_hostnames.
	CheckHostnames bool
	// AllowUnderscore is allow_underscore.
	AllowUnderscore bool
}
