package conf

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/parser"
)

// ACLRef is one word of an access list.
type ACLRef struct {
	Name   string
	Negate bool
	ACL    *ACL
}

// AccessRule is one allow or deny line. It matches when all its ACLs match.
type AccessRule struct {
	Allow bool
	ACLs  []ACLRef
	Text  string
	Pos   parser.Pos
}

// AccessList is the lines of one access directive in order. Nil means the
// directive was not given and has no default.
type AccessList []AccessRule

// AccessSettings are the access lists.
type AccessSettings struct {
	// HTTPAccess is http_access; deny all when not given.
	HTTPAccess AccessList
	// HTTPAccess2 is http_access2, checked after rewriting.
	HTTPAccess2 AccessList
	// HTTPReplyAccess is http_reply_access; allow all when not given.
	HTTPReplyAccess AccessList
	// ICPAccess is icp_access; deny all when not given.
	ICPAccess AccessList
	// HTCPAccess is htcp_access; deny all when not given.
	HTCPAccess AccessList
	// HTCPClrAccess is htcp_clr_access; deny all when not given.
	HTCPClrAccess AccessList
	// MissAccess is miss_access.
	MissAccess AccessList
	// IdentLookupAccess is ident_lookup_access; deny all when not given.
	IdentLookupAccess AccessList
	// ReplyBodyMaxSize is reply_body_max_size; "0 allow all" when not given.
	ReplyBodyMaxSize []BodySizeRule
	// FollowXForwardedFor is follow_x_forwarded_for; deny all when not given.
	FollowXForwardedFor AccessList
	// SNMPAccess is snmp_access; deny all when not given.
	SNMPAccess AccessList
	// LogAccess is log_access.
	LogAccess AccessList
	// Cache is cache (no_cache): what it denies is not stored.
	Cache AccessList
	// BrokenPosts is broken_posts.
	BrokenPosts AccessList
	// BrokenVaryEncoding is broken_vary_encoding.
	BrokenVaryEncoding AccessList
	// AlwaysDirect is always_direct.
	AlwaysDirect AccessList
	// NeverDirect is never_direct.
	NeverDirect AccessList
	// URLRewriteAccess is url_rewrite_access (redirector_access).
	URLRewriteAccess AccessList
	// LocationRewriteAccess is location_rewrite_access.
	LocationRewriteAccess AccessList

	// TCPOutgoingTOS is tcp_outgoing_tos (tcp_outgoing_ds, tcp_outgoing_dscp).
	TCPOutgoingTOS []TOSRule
	// TCPOutgoingAddress is tcp_outgoing_address.
	TCPOutgoingAddress []AddressRule

	// ACLUsesIndirectClient is acl_uses_indirect_client.
	ACLUsesIndirectClient bool
	// DelayPoolUsesIndirectClient is delay_pool_uses_indirect_client.
	DelayPoolUsesIndirectClient bool
	// LogUsesIndirectClient is log_uses_indirect_client.
	LogUsesIndirectClient bool
}

// BodySizeRule is one reply_body_max_size line: replies above Max bytes (0 no
// limit) are refused when Rule allows them. Rule is nil when 2.6 skipped the access part.
type BodySizeRule struct {
	Max  int64
	Rule *AccessRule
	Pos  parser.Pos
}

// TOSRule is one tcp_outgoing_tos line.
type TOSRule struct {
	TOS  uint8
	ACLs []ACLRef
	Pos  parser.Pos
}

// AddressRule is one tcp_outgoing_address line.
type AddressRule struct {
	Addr netip.Addr
	ACLs []ACLRef
	Pos  parser.Pos
}
