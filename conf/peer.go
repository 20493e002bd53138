package conf

import (
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// PeerSettings are the neighbours of the cache and the ways of asking them.
type PeerSettings struct {
	// Peers is cache_peer with the cache_peer_access, cache_peer_domain
	// (cache_host_domain) and neighbor_type_domain lines of each peer.
	Peers []*Peer
	// DeadPeerTimeout is dead_peer_timeout.
	DeadPeerTimeout time.Duration
	// HierarchyStoplist is hierarchy_stoplist: URLs with one of these words go direct.
	HierarchyStoplist []string
	// NonhierarchicalDirect is nonhierarchical_direct.
	NonhierarchicalDirect bool
	// PreferDirect is prefer_direct.
	PreferDirect bool
	// PeerConnectTimeout is peer_connect_timeout.
	PeerConnectTimeout time.Duration
	// ICPQueryTimeout is icp_query_timeout, 0 for automatic.
	ICPQueryTimeout time.Duration
	// MaximumICPQueryTimeout is maximum_icp_query_timeout.
	MaximumICPQueryTimeout time.Duration
	// MinimumICPQueryTimeout is minimum_icp_query_timeout.
	MinimumICPQueryTimeout time.Duration
	// MulticastICPQueryTimeout is mcast_icp_query_timeout.
	MulticastICPQueryTimeout time.Duration
	// MulticastGroups is mcast_groups.
	MulticastGroups []string
	// LogICPQueries is log_icp_queries.
	LogICPQueries bool
	// ICPHitStale is icp_hit_stale.
	ICPHitStale bool
	// MinimumDirectHops is minimum_direct_hops.
	MinimumDirectHops int
	// MinimumDirectRTT is minimum_direct_rtt.
	MinimumDirectRTT time.Duration
	// NetDBLow and NetDBHigh are netdb_low and netdb_high (entries).
	NetDBLow, NetDBHigh int
	// NetDBPingPeriod is netdb_ping_period.
	NetDBPingPeriod time.Duration
	// MeasuresWays: pinger_program names a pinger, so that distances are measured.
	MeasuresWays bool
	// QueryICMP is query_icmp.
	QueryICMP bool
	// TestReachability is test_reachability.
	TestReachability bool
	// DigestGeneration is digest_generation.
	DigestGeneration bool
	// DigestBitsPerEntry is digest_bits_per_entry.
	DigestBitsPerEntry int
	// DigestRebuildPeriod is digest_rebuild_period.
	DigestRebuildPeriod time.Duration
	// DigestRewritePeriod is digest_rewrite_period.
	DigestRewritePeriod time.Duration
	// DigestSwapoutChunkSize is digest_swapout_chunk_size.
	DigestSwapoutChunkSize int64
	// DigestRebuildChunkPercentage is digest_rebuild_chunk_percentage.
	DigestRebuildChunkPercentage int
}

// PeerType is the second word of a cache_peer line.
type PeerType uint8

// The types of peer. Unknown words mean PeerSibling, as in 2.6.
const (
	PeerSibling PeerType = iota
	PeerParent
	PeerMulticast
)

// Peer is one cache_peer line.
type Peer struct {
	// Host as written; Name is name= or Host.
	Host, Name string
	Type       PeerType
	HTTPPort   uint16
	ICPPort    uint16

	ProxyOnly, NoQuery, NoDigest, MulticastResponder       bool
	ClosestOnly, Default, RoundRobin, UserHash, SourceHash bool
	HTCP, HTCPOldSquid, NoNetDBExchange, CARP, NoDelay     bool
	AllowMiss, OriginServer                                bool

	// Weight is at least 1.
	Weight int
	// TTL is the multicast time to live, 0 to 128.
	TTL int
	// Login is login= with %xx decoded ("PASS", "*:password", "user:password").
	Login string
	// ConnectTimeout is 0 when not given.
	ConnectTimeout time.Duration
	// DigestURL is "" for the usual place.
	DigestURL string
	// MaxConn is 0 for no limit.
	MaxConn int
	// MonitorURL is complete, or "" without monitoring.
	MonitorURL string
	// MonitorMin and MonitorMax bound the size of the reply; Max is 0 or -1 without a bound.
	MonitorMin      int64
	MonitorMax      int64
	MonitorInterval time.Duration
	MonitorTimeout  time.Duration
	ForcedDomain    string
	// FrontEndHTTPS and ConnectionAuth: On, Off or Warn for "auto".
	FrontEndHTTPS  Tristate
	ConnectionAuth Tristate

	// The ssl options.
	SSL                                               bool
	SSLCert, SSLKey, SSLOptions, SSLCipher, SSLCAFile string
	SSLCAPath, SSLCRLFile, SSLFlags, SSLDomain        string
	SSLVersion                                        int

	// HTTP11 (extension, 2.7): HTTP/1.1 towards this peer.
	HTTP11 bool

	// Access is cache_peer_access.
	Access AccessList
	// Domains is cache_peer_domain.
	Domains []PeerDomain
	// TypeDomains is neighbor_type_domain.
	TypeDomains []PeerTypeDomain

	Pos parser.Pos
}

// PeerDomain is one word of cache_peer_domain.
type PeerDomain struct {
	Domain string
	Negate bool
}

// PeerTypeDomain is one word of neighbor_type_domain.
type PeerTypeDomain struct {
	Type   PeerType
	Domain string
}
