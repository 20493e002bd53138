package conf

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// valueCase is lines of a file and what one part of the Config is then.
type valueCase struct {
	lines string
	got   func(*Config) any
	want  any
}

// checkValues loads each case behind the two lines every file needs.
func checkValues(t *testing.T, cases []valueCase) {
	t.Helper()
	for _, c := range cases {
		cfg, report := loadText(t, head+c.lines+"\n")
		if cfg == nil || report.Exit != 0 {
			t.Errorf("%s: refused: %v", c.lines, report.Lines)
			continue
		}
		if diff := cmp.Diff(c.want, c.got(cfg), sameConfig); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.lines, diff)
		}
	}
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestSimpleValues: switches, numbers, times, sizes, words, lists.
func TestSimpleValues(t *testing.T) {
	checkValues(t, []valueCase{
		{"via off", func(c *Config) any { return c.Via }, false},
		{"via Enable", func(c *Config) any { return c.Via }, true},
		{"via 1", func(c *Config) any { return c.Via }, false},
		{"relaxed_header_parser warn", func(c *Config) any { return c.RelaxedHeaderParser }, Warn},
		{"cache_swap_low 0x10", func(c *Config) any { return c.CacheSwapLow }, 16},
		{"cache_swap_low 010", func(c *Config) any { return c.CacheSwapLow }, 8},
		{"cache_swap_low 90%", func(c *Config) any { return c.CacheSwapLow }, 90},
		{"umask 022", func(c *Config) any { return c.Umask }, 0o22},
		{"icp_port 3131", func(c *Config) any { return c.ICPPort }, uint16(3131)},
		{"udp_port 3132", func(c *Config) any { return c.ICPPort }, uint16(3132)},
		{"connect_timeout 1.5 hours", func(c *Config) any { return c.ConnectTimeout }, 90 * time.Minute},
		{"connect_timeout 2 fortnights", func(c *Config) any { return c.ConnectTimeout }, 28 * 24 * time.Hour},
		{"connect_timeout 30seconds", func(c *Config) any { return c.ConnectTimeout }, 30 * time.Second},
		{"connect_timeout 2minutes", func(c *Config) any { return c.ConnectTimeout }, 2 * time.Second},
		{"cache_mem 0.5 GB", func(c *Config) any { return c.CacheMem }, int64(512 << 20)},
		{"cache_mem 8MB", func(c *Config) any { return c.CacheMem }, int64(8)},
		{"quick_abort_min -1 KB", func(c *Config) any { return c.QuickAbortMin }, NoLimit},
		{"quick_abort_min 2048 bytes", func(c *Config) any { return c.QuickAbortMin }, int64(2048)},
		{"minimum_direct_rtt 250", func(c *Config) any { return c.MinimumDirectRTT }, 250 * time.Millisecond},
		{"visible_hostname proxy.example.com x", func(c *Config) any { return c.VisibleHostname }, "proxy.example.com"},
		{"mail_program /bin/mail -s  x", func(c *Config) any { return c.MailProgram }, "/bin/mail -s  x"},
		{"hierarchy_stoplist cgi-bin ?\nhierarchy_stoplist \"a b\"", func(c *Config) any { return c.HierarchyStoplist }, []string{"cgi-bin", "?", "a b"}},
		{"url_rewrite_program /bin/r \"a b\" c\\ d", func(c *Config) any { return c.URLRewriteProgram }, []string{"/bin/r", "a b", "c d"}},
		{"redirect_children 7", func(c *Config) any { return c.URLRewriteChildren }, 7},
		{"udp_incoming_address 10.1", func(c *Config) any { return c.UDPIncomingAddress }, ip("10.0.0.1")},
		{"udp_incoming_address two.oracle.test", func(c *Config) any { return c.UDPIncomingAddress }, ip("192.0.2.20")},
		{"client_netmask 255.255.255.0", func(c *Config) any { return c.ClientNetmask }, ip("255.255.255.0")},
	})
}

// TestPortValues: http_port and https_port.
func TestPortValues(t *testing.T) {
	last := func(c *Config) any { return *c.HTTPPorts[len(c.HTTPPorts)-1] }
	any4 := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(ip("0.0.0.0"), port) }
	checkValues(t, []valueCase{
		{"http_port 8080", last, HTTPPort{Addr: any4(8080), Protocol: "http"}},
		{"ascii_port 127.0.0.1:8080", last, HTTPPort{Addr: netip.MustParseAddrPort("127.0.0.1:8080"), Protocol: "http"}},
		{"http_port 80 transparent tproxy", last, HTTPPort{Addr: any4(80), Protocol: "http", Transparent: true, TProxy: true}},
		{"http_port 80 transparent tproxy vhost vport=80", last, HTTPPort{Addr: any4(80), Protocol: "http", Transparent: true, TProxy: true, AccelIgnored: true}},
		{"http_port 80 vhost vport", last, HTTPPort{Addr: any4(80), Protocol: "http", Accel: true, VHost: true, VPort: VPortLocal}},
		{"http_port 80 vport=81 protocol=https urlgroup=g name=n no-connection-auth", last,
			HTTPPort{Addr: any4(80), Protocol: "https", Accel: true, VPort: 81, URLGroup: "g", Name: "n", NoConnectionAuth: true}},
		{"http_port 80 defaultsite=www.example.com http11", last,
			HTTPPort{Addr: any4(80), Protocol: "http", Accel: true, DefaultSite: "www.example.com", HasDefaultSite: true, HTTP11: true}},
		{"http_port one.oracle.test:80", last, HTTPPort{Addr: netip.MustParseAddrPort("192.0.2.10:80"), Host: "one.oracle.test", Protocol: "http",
			DefaultSite: "one.oracle.test", HasDefaultSite: true}},
		{"http_port [2001:db8::1]:80", last, HTTPPort{Addr: netip.MustParseAddrPort("[2001:db8::1]:80"), Protocol: "http"}},
		{"https_port 443 cert=/c key=/k version=3 cipher=HIGH vhost", func(c *Config) any { return *c.HTTPSPorts[0] },
			HTTPSPort{HTTPPort: HTTPPort{Addr: any4(443), Protocol: "https", Accel: true, VHost: true}, Cert: "/c", Key: "/k", Version: 3, Cipher: "HIGH"}},
	})
}

// TestACLValues: every type of acl.
func TestACLValues(t *testing.T) {
	last := func(c *Config) any { return *c.ACLs[len(c.ACLs)-1] }
	network := func(first, last, mask string) IPRange {
		r := IPRange{First: ip(first), Mask: ip(mask)}
		if last != "" {
			r.Last = ip(last)
		}
		return r
	}
	const one = "255.255.255.255"
	checkValues(t, []valueCase{
		{"acl a src 10.0.0.0/8 192.0.2.1 10.1.1.1-10.1.1.9/255.255.255.255", last, ACL{Name: "a", Type: ACLSrc, Networks: NetworksOf(
			network("10.0.0.0", "", "255.0.0.0"), network("192.0.2.1", "", one))}},
		{"acl a src 192.0.2.3-192.0.2.9", last, ACL{Name: "a", Type: ACLSrc, Networks: NetworksOf(network("192.0.2.3", "192.0.2.9", one))}},
		{"acl a dst two.oracle.test", last, ACL{Name: "a", Type: ACLDst, Networks: NetworksOf(network("192.0.2.20", "", one), network("192.0.2.21", "", one))}},
		{"acl a src 2001:db8::/32", last, ACL{Name: "a", Type: ACLSrc, Networks: NetworksOf(network("2001:db8::", "", "ffff:ffff::"))}},
		{"acl a myip all", last, ACL{Name: "a", Type: ACLMyIP, Networks: NetworksOf(network("0.0.0.0", "", "0.0.0.0"))}},
		{"acl a dstdomain .Example.COM www.example.net # no value\nacl A domain x.y", last, ACL{Name: "a", Type: ACLDstDomain, Domains: DomainsOf(".example.com", "www.example.net", "x.y")}},
		{"acl a srcdomain .a", last, ACL{Name: "a", Type: ACLSrcDomain, Domains: DomainsOf(".a")}},
		{"acl a url_regex ^a -i b +i c", last, ACL{Name: "a", Type: ACLURLRegex, Regexes: RegexesOf(Regex{Pattern: "^a"}, Regex{Pattern: "b", ICase: true}, Regex{Pattern: "c"})}},
		{"acl a pattern x", last, ACL{Name: "a", Type: ACLURLPathRegex, Regexes: RegexesOf(Regex{Pattern: "x"})}},
		{"acl a browser (x y", last, ACL{Name: "a", Type: ACLBrowser, Regexes: RegexesOf(Regex{Pattern: "y"})}},
		{"acl a referrer_regex x", last, ACL{Name: "a", Type: ACLRefererRegex, Regexes: RegexesOf(Regex{Pattern: "x"})}},
		{"acl a req_header X-Foo -i bar baz\nacl a req_header Y z", last, ACL{Name: "a", Type: ACLReqHeader, Headers: []HeaderRegex{
			{Name: "X-Foo", Regexes: RegexesOf(Regex{Pattern: "bar", ICase: true}, Regex{Pattern: "baz", ICase: true})}, {Name: "Y", Regexes: RegexesOf(Regex{Pattern: "z"})}}}},
		{"acl a port 80 1025-65535 0", last, ACL{Name: "a", Type: ACLPort, Ports: []PortRange{{80, 80}, {1025, 65535}, {0, 0}}}},
		{"acl a time MTWHF 8:00-17:30", last, ACL{Name: "a", Type: ACLTime, Times: []TimeSpec{{Days: 0b0111110, Start: 480, Stop: 1050}}}},
		{"acl a time D 00:00-24:00", last, ACL{Name: "a", Type: ACLTime, Times: []TimeSpec{{Days: 0b0111110, Start: 0, Stop: 1440}}}},
		{"acl a method get POST PURGE", last, ACL{Name: "a", Type: ACLMethod, Methods: []string{"GET", "POST", "PURGE"}}},
		{"acl a protocol HTTP cache_object nosuch", last, ACL{Name: "a", Type: ACLProto, Protocols: []string{"http", "cache_object", ""}}},
		{"acl a ident -i Joe REQUIRED", last, ACL{Name: "a", Type: ACLIdent, Users: UserList{Names: []string{"joe", "required"}, ICase: true}}},
		{"acl a ident REQUIRED", last, ACL{Name: "a", Type: ACLIdent, Users: UserList{Required: true}}},
		{"auth_param basic program /bin/cat\nacl a proxy_auth Joe Ann", last, ACL{Name: "a", Type: ACLProxyAuth, Users: UserList{Names: []string{"Joe", "Ann"}}}},
		{"acl a src_as 1241 7018", last, ACL{Name: "a", Type: ACLSrcAS, Numbers: []int{1241, 7018}}},
		{"acl a maxconn 10", last, ACL{Name: "a", Type: ACLMaxConn, Numbers: []int{10}}},
		{"acl a max_user_ip -s 3", last, ACL{Name: "a", Type: ACLMaxUserIP, MaxUserIP: MaxUserIP{Max: 3, Strict: true}}},
		{"acl a arp 00:11:22:aa:bb:cc", last, ACL{Name: "a", Type: ACLARP, MACs: [][6]byte{{0, 0x11, 0x22, 0xaa, 0xbb, 0xcc}}}},
		{"acl a type accel transparent", last, ACL{Name: "a", Type: ACLRequestType, RequestTypes: RequestTypes{Accelerated: true, Transparent: true}}},
		{"acl a urlgroup x Y", last, ACL{Name: "a", Type: ACLURLGroup, Words: []string{"x", "Y"}}},
		{"acl a snmp_community public", last, ACL{Name: "a", Type: ACLSNMPCommunity, Words: []string{"public"}}},
		{"acl a user_cert CN joe", last, ACL{Name: "a", Type: ACLUserCert, Cert: CertList{Attribute: "CN", Values: []string{"joe"}}}},
		{"external_acl_type e ttl=5 negative_ttl=6 children=2 grace=10 cache=9 protocol=2.5 %LOGIN %{Cookie:;id} /bin/c -x\nacl a external e x y z", last,
			ACL{Name: "a", Type: ACLExternal, External: &ExternalUse{ACL: "a", Args: []string{"x", "y", "z"}, Type: &ExternalACL{Name: "e", TTL: 5, NegativeTTL: 6, Children: 2, Grace: 10,
				CacheSize: 9, QuoteShell: true, Format: []ExternalFormat{{Code: "LOGIN"}, {Code: "HEADER", Header: "Cookie", Member: "id", Separator: ';'}}, Program: []string{"/bin/c", "-x"}}}}},
	})
}

// TestAccessValues: lists of allow and deny, with what some directives put in front.
func TestAccessValues(t *testing.T) {
	rule := func(allow bool, refs ...ACLRef) AccessRule { return AccessRule{Allow: allow, ACLs: refs} }
	all, notLAN := ACLRef{Name: "all"}, ACLRef{Name: "lan", Negate: true}
	const lan = "acl lan src 10.0.0.0/8\n"
	checkValues(t, []valueCase{
		{lan + "http_access allow all !LAN\nhttp_access Deny all\nhttp_access deny", func(c *Config) any { return c.HTTPAccess }, AccessList{rule(true, all, notLAN)}},
		{"", func(c *Config) any { return c.HTTPAccess }, AccessList{rule(false, all)}},
		{"", func(c *Config) any { return c.HTTPReplyAccess }, AccessList{rule(true, all)}},
		{"", func(c *Config) any { return c.MissAccess }, AccessList(nil)},
		{"no_cache deny all", func(c *Config) any { return c.Cache }, AccessList{rule(false, all)}},
		{"reply_body_max_size 1024 allow all", func(c *Config) any { return c.ReplyBodyMaxSize }, []BodySizeRule{{Max: 1024, Rule: &AccessRule{Allow: true, ACLs: []ACLRef{all}}}}},
		{"reply_body_max_size 1 MB allow all", func(c *Config) any { return c.ReplyBodyMaxSize }, []BodySizeRule{{Max: 1}}},
		{"tcp_outgoing_tos 0x20 all", func(c *Config) any { return c.TCPOutgoingTOS }, []TOSRule{{TOS: 0x20, ACLs: []ACLRef{all}}}},
		{lan + "tcp_outgoing_address 192.0.2.7 !lan", func(c *Config) any { return c.TCPOutgoingAddress }, []AddressRule{{Addr: ip("192.0.2.7"), ACLs: []ACLRef{notLAN}}}},
		{"header_access User-Agent deny all\nheader_access All allow all", func(c *Config) any { return c.HeaderAccess },
			[]HeaderAccess{{Header: "User-Agent", Rule: rule(false, all)}, {Header: HeaderAll, Rule: rule(true, all)}}},
		{"header_replace user-agent Nutscrape/1.0 (CP/M; 8-bit)", func(c *Config) any { return c.HeaderReplace }, []HeaderReplace{{Header: "User-Agent", Value: "Nutscrape/1.0 (CP/M; 8-bit)"}}},
		{"deny_info ERR_X a b\ndeny_info http://x/ c", func(c *Config) any { return c.DenyInfo }, []DenyInfo{{Page: "ERR_X", ACLs: []string{"a", "b"}}, {Page: "http://x/", ACLs: []string{"c"}}}},
		{"error_map http://x/ 404 503", func(c *Config) any { return c.ErrorMap }, []ErrorMap{{URL: "http://x/", Status: []int{404, 503}}}},
	})
}

// TestPeerValues: cache_peer and the lines that add to it.
func TestPeerValues(t *testing.T) {
	first := func(c *Config) any { return *c.Peers[0] }
	plain := func(change func(*Peer)) Peer {
		p := Peer{Host: "p", Name: "p", Type: PeerParent, HTTPPort: 3128, ICPPort: 3130, Weight: 1,
			MonitorInterval: 5 * time.Minute, FrontEndHTTPS: Off, ConnectionAuth: Warn}
		change(&p)
		return p
	}
	checkValues(t, []valueCase{
		{"cache_peer p parent 3128 3130", first, plain(func(*Peer) {})},
		{"cache_peer p sibling 3128 3130 proxy-only weight=0 ttl=500", first, plain(func(p *Peer) { p.Type, p.ProxyOnly, p.TTL = PeerSibling, true, 128 })},
		{"cache_peer p what 3128 3130", first, plain(func(p *Peer) { p.Type = PeerSibling })},
		{"cache_peer p parent 3128 3130 no-query no-digest default round-robin name=n", first, plain(func(p *Peer) {
			p.Name, p.NoQuery, p.NoDigest, p.Default, p.RoundRobin = "n", true, true, true, true
		})},
		{"cache_peer p parent 3128 3130 login=joe%20x:a%3ab connect-timeout=7 max-conn=9 forceddomain=d", first, plain(func(p *Peer) {
			p.Login, p.ConnectTimeout, p.MaxConn, p.ForcedDomain = "joe x:a:b", 7*time.Second, 9, "d"
		})},
		{"cache_peer p parent 3128 3130 originserver front-end-https=auto connection-auth=off http11", first, plain(func(p *Peer) {
			p.OriginServer, p.FrontEndHTTPS, p.ConnectionAuth, p.HTTP11 = true, Warn, Off, true
		})},
		{"cache_peer p parent 3128 3130\ncache_peer_access p allow all\ncache_peer_domain p .a !.b\nneighbor_type_domain p sibling .c", first, plain(func(p *Peer) {
			p.Access = AccessList{{Allow: true, ACLs: []ACLRef{{Name: "all"}}}}
			p.Domains = []PeerDomain{{Domain: ".a"}, {Domain: ".b", Negate: true}}
			p.TypeDomains = []PeerTypeDomain{{Type: PeerSibling, Domain: ".c"}}
		})},
	})
}

// TestStoreValues: cache_dir, the policies, refresh_pattern.
func TestStoreValues(t *testing.T) {
	lru := Policy{Name: "lru"}
	dirs := func(c *Config) any { return c.CacheDirs }
	patterns := func(c *Config) any { return c.RefreshPatterns }
	checkValues(t, []valueCase{
		{"", dirs, []*CacheDir{{Type: "ufs", Path: "/var/spool/squid", Size: 100 << 20, L1: 16, L2: 256, MaxSize: -1, Policy: lru}}},
		{"cache_dir AUFS /a 10 1 2 read-only min-size=3 max-size=4", dirs, []*CacheDir{{Type: "aufs", Path: "/a", Size: 10 << 20, L1: 1, L2: 2, ReadOnly: true, MinSize: 3, MaxSize: 4, Policy: lru}}},
		{"cache_replacement_policy heap LFUDA\ncache_dir diskd /a 10 1 2 Q1=5 Q2=6\ncache_replacement_policy lru\ncache_dir null /tmp", dirs, []*CacheDir{
			{Type: "diskd", Path: "/a", Size: 10 << 20, L1: 1, L2: 2, MaxSize: -1, Q1: 5, Q2: 6, Policy: Policy{Name: "heap", Args: []string{"LFUDA"}}},
			{Type: "null", Path: "/tmp", MaxSize: -1, Policy: lru}}},
		{"cache_dir coss /a 10 max-size=65536 block-size=1024", dirs, []*CacheDir{{Type: "coss", Path: "/a", Size: 10 << 20, MaxSize: 65536,
			COSS: COSSOptions{BlockSize: 1024, OverwritePercent: 50, MemBufs: 10}, Policy: lru}}},
		{"cache_dir ufs /a 10 1 2\ncache_dir ufs /a 20 1 2", dirs, []*CacheDir{{Type: "ufs", Path: "/a", Size: 20 << 20, L1: 1, L2: 2, MaxSize: -1, Policy: lru}}},
		{"refresh_pattern -i \\.gif$ 10 20% 30 override-expire ignore-reload nosuch", patterns, []*RefreshPattern{{Regex: Regex{Pattern: `\.gif$`, ICase: true},
			Min: 10 * time.Minute, Percent: 20, Max: 30 * time.Minute, OverrideExpire: true, IgnoreReload: true, StaleWhileRevalidate: -1, MaxStale: -1, NegativeTTL: -1}}},
		{"refresh_pattern ( 1 2% 3\nrefresh_pattern . 0 20 4320 max-stale=5", patterns, []*RefreshPattern{{Regex: Regex{Pattern: "."}, Percent: 20, Max: 72 * time.Hour,
			StaleWhileRevalidate: -1, MaxStale: 5 * time.Minute, NegativeTTL: -1}}},
		{"external_refresh_check children=2 %CACHE_URI /bin/f \"a b\"", func(c *Config) any { return c.ExternalRefreshCheck },
			RefreshCheck{Children: 2, Formats: []string{"%CACHE_URI"}, Program: []string{"/bin/f", "a b"}}},
		{"max_stale 2 days", func(c *Config) any { return c.MaxStale }, 48 * time.Hour},
	})
}

// TestLogValues: logformat and access_log.
func TestLogValues(t *testing.T) {
	const format = "logformat f %>a [%tl] \"%{User-Agent}>h\" %06tr %%\n"
	f := &LogFormat{Name: "f", Text: `%>a [%tl] "%{User-Agent}>h" %06tr %%`, Tokens: []LogToken{
		{Code: ">a", Space: true}, {Text: "["}, {Code: "tl", Quote: QuoteBrackets}, {Text: `] "`}, {Code: ">h", Arg: "User-Agent", HasArg: true, Quote: QuoteString},
		{Text: `" `}, {Code: "tr", Zero: true, Width: 6, Space: true}, {Code: "%"}}}
	checkValues(t, []valueCase{
		{"", func(c *Config) any { return c.AccessLogs }, []*AccessLog(nil)},
		{format, func(c *Config) any { return c.LogFormats }, []*LogFormat{f}},
		{format + "access_log /a f all\naccess_log none\ncache_access_log /b\naccess_log /c common", func(c *Config) any { return c.AccessLogs }, []*AccessLog{
			{Path: "/a", Kind: LogCustom, Format: f, ACLs: []ACLRef{{Name: "all"}}}, {Kind: LogNone}, {Path: "/b"}, {Path: "/c", Kind: LogCommon}}},
		{"logformat g %>h", func(c *Config) any { return c.LogMimeHdrs }, true},
		{"logformat g %>A", func(c *Config) any { return c.LogFQDN }, true},
	})
}

// TestWCCPValues: routers, services and what describes them.
func TestWCCPValues(t *testing.T) {
	services := func(c *Config) any { return c.WCCP.Services }
	checkValues(t, []valueCase{
		{"", services, []*WCCPService{{}}},
		{"wccp2_router 192.0.2.1 router.oracle.test:2049", func(c *Config) any { return c.WCCP.V2Routers },
			[]netip.AddrPort{netip.AddrPortFrom(ip("192.0.2.1"), 0), netip.MustParseAddrPort("192.0.2.1:2049")}},
		{"wccp2_forwarding_method l2\nwccp2_assignment_method mask\nwccp2_return_method 1", func(c *Config) any {
			return []int{c.WCCP.ForwardingMethod, c.WCCP.AssignmentMethod, c.WCCP.ReturnMethod}
		}, []int{WCCPL2, WCCPMask, WCCPGRE}},
		{"wccp2_service standard 0 password=123456789\nwccp2_service dynamic 80\nwccp2_service_info 80 protocol=tcp flags=src_ip_hash,ports_source priority=240 ports=80,0x50,443", services,
			[]*WCCPService{{Password: "12345678", HasPassword: true}, {Dynamic: true, ID: 80, HasInfo: true, Priority: 240, Protocol: 6,
				Flags: WCCPSrcIPHash | WCCPPortsSource | WCCPPortsDefined, Ports: [8]uint16{80, 80, 443}}}},
		{"wccp2_mask 0x7f\nwccp2_division minimal", func(c *Config) any { return []any{c.WCCP.Mask, c.WCCP.Division} }, []any{uint32(0x7f), WCCPDivideMinimal}},
	})
}

// TestDelayAndAuthValues: delay pools and auth_param.
func TestDelayAndAuthValues(t *testing.T) {
	checkValues(t, []valueCase{
		{"delay_pools 2\ndelay_class 1 3\ndelay_parameters 1 -1/-1 8000/9000 600/64000\ndelay_access 1 allow all\ndelay_class 2 1\ndelay_parameters 2 5/6", func(c *Config) any { return c.Delay.Pools },
			[]DelayPool{{Class: 3, Access: AccessList{{Allow: true, ACLs: []ACLRef{{Name: "all"}}}}, Aggregate: DelayRate{-1, -1}, Network: DelayRate{8000, 9000}, Individual: DelayRate{600, 64000}},
				{Class: 1, Aggregate: DelayRate{5, 6}}}},
		{"auth_param basic program /bin/cat \"a b\"\nauth_param basic realm A  realm\nauth_param basic credentialsttl 2 hours\nauth_param basic children 3\nauth_param basic casesensitive on",
			func(c *Config) any { return *c.AuthSchemes[0] },
			AuthScheme{Name: "basic", Program: []string{"/bin/cat", "a b"}, Children: 3, Realm: "A  realm", CredentialsTTL: 2 * time.Hour, CaseSensitive: true}},
		{"auth_param digest program /bin/cat\nauth_param digest nonce_max_count 7", func(c *Config) any { return *c.AuthSchemes[0] },
			AuthScheme{Name: "digest", Realm: "Squid proxy-caching web server", Program: []string{"/bin/cat"}, Children: 5, NonceGarbageInterval: 5 * time.Minute, NonceMaxDuration: 30 * time.Minute, NonceMaxCount: 7, CheckNonceCount: true}},
		{"auth_param ntlm program /bin/cat\nauth_param ntlm keep_alive off", func(c *Config) any { return *c.AuthSchemes[0] }, AuthScheme{Name: "ntlm", Program: []string{"/bin/cat"}, Children: 5}},
	})
}
