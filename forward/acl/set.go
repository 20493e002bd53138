package acl

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Set is every access list of a configuration, compiled. It is immutable.
type Set struct {
	// Lists that admit clients; IPv6 clients only where a line names them.
	HTTPAccess          List // http_access
	ICPAccess           List // icp_access
	HTCPAccess          List // htcp_access
	HTCPClrAccess       List // htcp_clr_access
	SNMPAccess          List // snmp_access
	FollowXForwardedFor List // follow_x_forwarded_for

	HTTPAccess2           List // http_access2; allows when not given
	HTTPReplyAccess       List // http_reply_access
	MissAccess            List // miss_access; allows when not given
	AlwaysDirect          List // always_direct; Allowed means: go direct
	NeverDirect           List // never_direct; Allowed means: do not go direct
	Cache                 List // cache (no_cache); Allowed means: may be stored
	IdentLookupAccess     List // ident_lookup_access
	LogAccess             List // log_access; allows when not given
	BrokenPosts           List // broken_posts; Allowed means: send the extra CRLF
	BrokenVaryEncoding    List // broken_vary_encoding
	UpgradeHTTP09         List // upgrade_http0.9; allows when not given
	URLRewriteAccess      List // url_rewrite_access; allows when not given
	LocationRewriteAccess List // location_rewrite_access; allows when not given
	StoreURLAccess        List // storeurl_access; allows when not given
	IPShortcircuit        List // authenticate_ip_shortcircuit_access; allows when not given

	// Peers is cache_peer_access, in the order of conf's Peers; allows when not
	// given.
	Peers []List
	// Delay is delay_access, in the order of conf's Delay.Pools.
	Delay []List
	// AccessLogs is the ACLs of the access_log lines, in their order.
	AccessLogs []Cond

	headers   headerLists
	outgoing  []outgoingAddress
	tos       []outgoingTOS
	bodySizes []bodySize
	asks      map[string]bool // ACLs that ask for credentials
	idle      []string
}

// Compile compiles the access lists of a configuration. The error names the
// ACL at fault.
func Compile(cfg *conf.Config, src Sources) (*Set, error) {
	c := newCompiler(cfg, src)
	s := &Set{}
	for _, l := range []struct {
		name         string
		to           *List
		from         conf.AccessList
		whenEmpty    Verdict
		admits, fast bool
	}{
		{name: "http_access", to: &s.HTTPAccess, from: cfg.HTTPAccess, admits: true},
		{name: "icp_access", to: &s.ICPAccess, from: cfg.ICPAccess, admits: true, fast: true},
		{name: "htcp_access", to: &s.HTCPAccess, from: cfg.HTCPAccess, admits: true, fast: true},
		{name: "htcp_clr_access", to: &s.HTCPClrAccess, from: cfg.HTCPClrAccess, admits: true, fast: true},
		{name: "snmp_access", to: &s.SNMPAccess, from: cfg.SNMPAccess, admits: true, fast: true},
		{name: "follow_x_forwarded_for", to: &s.FollowXForwardedFor, from: cfg.FollowXForwardedFor, admits: true},
		{name: "http_access2", to: &s.HTTPAccess2, from: cfg.HTTPAccess2, whenEmpty: Allowed},
		{name: "http_reply_access", to: &s.HTTPReplyAccess, from: cfg.HTTPReplyAccess, whenEmpty: Allowed},
		{name: "miss_access", to: &s.MissAccess, from: cfg.MissAccess, whenEmpty: Allowed, fast: true},
		{name: "always_direct", to: &s.AlwaysDirect, from: cfg.AlwaysDirect},
		{name: "never_direct", to: &s.NeverDirect, from: cfg.NeverDirect},
		{name: "cache", to: &s.Cache, from: cfg.Cache, whenEmpty: Allowed},
		{name: "ident_lookup_access", to: &s.IdentLookupAccess, from: cfg.IdentLookupAccess, fast: true},
		{name: "log_access", to: &s.LogAccess, from: cfg.LogAccess, whenEmpty: Allowed, fast: true},
		{name: "broken_posts", to: &s.BrokenPosts, from: cfg.BrokenPosts, fast: true},
		{name: "broken_vary_encoding", to: &s.BrokenVaryEncoding, from: cfg.BrokenVaryEncoding, fast: true},
		{name: "upgrade_http0.9", to: &s.UpgradeHTTP09, from: cfg.UpgradeHTTP09, whenEmpty: Allowed, fast: true},
		{name: "url_rewrite_access", to: &s.URLRewriteAccess, from: cfg.URLRewriteAccess, whenEmpty: Allowed},
		{name: "location_rewrite_access", to: &s.LocationRewriteAccess, from: cfg.LocationRewriteAccess, whenEmpty: Allowed},
		{name: "storeurl_access", to: &s.StoreURLAccess, from: cfg.StoreURLAccess, whenEmpty: Allowed},
		{name: "authenticate_ip_shortcircuit_access", to: &s.IPShortcircuit, from: cfg.AuthenticateIPShortcircuitAccess, whenEmpty: Allowed, fast: true},
	} {
		*l.to = c.list(l.name, l.from, l.whenEmpty)
		l.to.admits, l.to.waits = l.admits, !l.fast
	}
	for _, p := range cfg.Peers {
		s.Peers = append(s.Peers, c.list("cache_peer_access "+p.Name, p.Access, Allowed))
	}
	for i := range cfg.Delay.Pools {
		s.Delay = append(s.Delay, c.list(fmt.Sprint("delay_access ", i+1), cfg.Delay.Pools[i].Access, Denied))
	}
	for _, log := range cfg.AccessLogs {
		s.AccessLogs = append(s.AccessLogs, c.compileCond(log.ACLs))
	}
	s.headers = c.headerLists(cfg.HeaderAccess)
	s.outgoing = c.outgoingAddresses(cfg.TCPOutgoingAddress)
	s.tos = c.outgoingTOS(cfg.TCPOutgoingTOS)
	s.bodySizes = c.bodySizes(cfg.ReplyBodyMaxSize)
	s.asks = c.askers(cfg.ACLs)
	s.idle = c.idle
	return s, c.err
}

// list compiles one access list; the trace has it by its name.
func (c *compiler) list(name string, from conf.AccessList, whenEmpty Verdict) List {
	l := List{name: name, whenEmpty: whenEmpty, trace: c.src.Trace, rules: make([]rule, 0, len(from))}
	for i := range from {
		l.rules = append(l.rules, c.compileRule(&from[i]))
		l.asksDst = l.asksDst || l.rules[i].cond.asksDst()
		l.asksHelpers = l.asksHelpers || l.rules[i].cond.asksHelpers()
	}
	l.settle()
	return l
}

// Idle names the ACLs in use that cannot match because nothing supplies what
// they ask for, as in "office (ident)".
func (s *Set) Idle() []string { return s.idle }

// AsksCredentials reports whether a denial that ended at the ACL last is to be
// answered by asking for credentials: it names users.
func (s *Set) AsksCredentials(last string) bool { return s.asks[last] }
