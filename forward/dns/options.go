package dns

import (
	"net/netip"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
)

// Options is what the configuration says about DNS.
type Options struct {
	// Servers are asked in this order, each answerable on any port
	// (dns_nameservers, or resolv.conf). At least one is needed.
	Servers []netip.AddrPort
	// Local is the address questions are sent from (udp_outgoing_address); the
	// zero value leaves it to the kernel.
	Local netip.Addr
	// Control is applied to every socket before use; nil does nothing. The
	// process marks its own traffic with it.
	Control func(network, address string, c syscall.RawConn) error

	// Retransmit is how long to wait for an answer before the next server is
	// asked; it doubles each time all of them were (dns_retransmit_interval).
	Retransmit time.Duration
	// Timeout ends a question (dns_timeout).
	Timeout time.Duration

	// Search lists domains to try for names with fewer than Dots dots, and for
	// others that do not exist (dns_defnames with resolv.conf's search list);
	// empty turns searching off.
	Search []string
	// Dots is resolv.conf's ndots.
	Dots int

	// Hosts is the content of the hosts file.
	Hosts *Hosts

	// PositiveTTL is the longest time an answer is kept (positive_dns_ttl).
	PositiveTTL time.Duration
	// NegativeTTL is how long a failure is kept and the shortest time an answer
	// is (negative_dns_ttl).
	NegativeTTL time.Duration

	// AddrEntries and NameEntries bound the two memories (ipcache_size,
	// fqdncache_size). AddrHigh and AddrLow are the per cent of AddrEntries
	// above which entries are dropped and down to which (ipcache_high, _low).
	AddrEntries, AddrHigh, AddrLow int
	NameEntries                    int

	// TakeTurns makes addresses of one name take turns (balance_on_multiple_ip).
	TakeTurns bool
	// IPv6 reports whether AAAA records are worth asking for; nil means: when the
	// host has a global IPv6 address.
	IPv6 func() bool

	// NoAAAA turns questions for AAAA records off whatever IPv6 says (dns_aaaa off).
	NoAAAA bool

	// Trace is told of questions and answers (debug_options 78,3); the zero value is
	// silent.
	Trace report.Section
	// Took is told how long each lookup lasted; nil does nothing.
	Took func(time.Duration)

	// VerifyMemory is how long an address counts as one of a name's after it
	// was in an answer (host_verify_memory).
	VerifyMemory time.Duration
}

// withDefaults puts 2.6's defaults where nothing was said.
func (o Options) withDefaults() Options {
	setDuration := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	setInt := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	if len(o.Servers) == 0 {
		o.Servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), serverPort)}
	}
	setDuration(&o.Retransmit, 5*time.Second)
	setDuration(&o.Timeout, 2*time.Minute)
	setDuration(&o.PositiveTTL, 6*time.Hour)
	setDuration(&o.NegativeTTL, time.Minute)
	setDuration(&o.VerifyMemory, 24*time.Hour)
	setInt(&o.Dots, 1)
	setInt(&o.AddrEntries, 1024)
	setInt(&o.AddrHigh, 95)
	setInt(&o.AddrLow, 90)
	setInt(&o.NameEntries, 1024)
	if o.Hosts == nil {
		o.Hosts = new(Hosts)
	}
	if o.IPv6 == nil {
		o.IPv6 = hostHasIPv6()
	}
	return o
}
