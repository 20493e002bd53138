package conf

import "time"

var accessRows = []Directive{
	{Name: "auth_param", Effect: Acts, kind: authSchemes(func(c *Config) *[]*AuthScheme { return &c.AuthSchemes }),
		Example: "auth_param basic program /usr/lib/squid/ncsa_auth /etc/squid/passwd\nauth_param basic children 5\nauth_param basic realm Proxy of the house\nauth_param basic credentialsttl 2 hours",
		Help: "Sets up one way of asking clients for a name and a password. The first word is the scheme (basic, digest, ntlm, negotiate), the second a parameter, the rest its value. " +
			"A scheme can be used once it has a program; acl proxy_auth needs one set up in front of it. The order in which schemes are first named is the order in which they are offered. " +
			"Parameters of every scheme: program (command line of the helper), children (how many helpers run). basic and digest: concurrency, realm. basic: credentialsttl, casesensitive, blankpassword. " +
			"digest: nonce_garbage_interval, nonce_max_duration, nonce_max_count, nonce_strictness, check_nonce_count, post_workaround. ntlm and negotiate: keep_alive."},
	{Name: "authenticate_cache_garbage_interval", Effect: Acts, Default: "1 hour", kind: duration(func(c *Config) *time.Duration { return &c.AuthenticateCacheGarbageInterval }),
		Help: "How often names and passwords that are remembered no longer are thrown away."},
	{Name: "authenticate_ttl", Effect: Acts, Default: "1 hour", kind: duration(func(c *Config) *time.Duration { return &c.AuthenticateTTL }),
		Help: "How long a user and what is known of the user stay in memory after the last request."},
	{Name: "authenticate_ip_ttl", Effect: Acts, Default: "0 seconds", kind: duration(func(c *Config) *time.Duration { return &c.AuthenticateIPTTL }),
		Help: "How long the addresses a user came from are remembered, for acl max_user_ip. 0 forgets them at once; dial-up users need little, because addresses change hands."},
	{Name: "external_acl_type", Effect: Acts, kind: externalACLs(func(c *Config) *[]*ExternalACL { return &c.ExternalACLTypes }),
		Example: "external_acl_type session ttl=300 children=5 %SRC /usr/lib/squid/squid_session -t 3600",
		Help: "Describes a helper program that decides for acl external. Behind the name come options, then one or more % codes that say what the helper is told, then the command line. " +
			"Options: ttl= and negative_ttl= (seconds an answer holds), children=, concurrency=, cache= (entries), grace= (percent of ttl), protocol=2.5 or quote=shell, protocol=3.0 or quote=url. " +
			"Codes: %LOGIN %IDENT %SRC %SRCPORT %MYADDR %MYPORT %DST %PROTO %PORT %PATH %METHOD %EXT_USER %ACL %DATA, %{Header} and %{Header:member}."},
	{Name: "acl", Effect: Acts, Options: inertACL, kind: acls(),
		Example: "acl all src 0.0.0.0/0.0.0.0\nacl lan src 192.168.0.0/16 10.1.0.1-10.1.0.99\nacl worktime time MTWHF 08:00-17:30\nacl media urlpath_regex -i \\.mp3$ \\.avi$\nacl customers dstdomain .example.com .example.net",
		Help: "Gives a name to a property of requests. Behind name and type come values; the ACL holds when one of them does. A value in quotes names a file with one value a line. Lines of the same name add up. " +
			"Nothing is defined beforehand, not even all. A word that begins with # ends the line. " +
			"Addresses: src, dst, myip (address, network, range or host name), arp. Names: dstdomain, srcdomain, dstdom_regex, srcdom_regex. " +
			"Request: url_regex, urlpath_regex, urllogin, port, proto, method, browser, referer_regex, req_mime_type, req_header, type, urlgroup. Reply: rep_mime_type, rep_header. " +
			"Listening side: myport. User: ident, ident_regex, proxy_auth, proxy_auth_regex, ext_user, ext_user_regex, max_user_ip, user_cert, ca_cert. Others: time, maxconn, src_as, dst_as, snmp_community, external. " +
			"Patterns are POSIX extended regular expressions; -i in front of them ignores case."},
	{Name: "http_access", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.HTTPAccess }),
		Example: "http_access allow lan\nhttp_access deny all",
		Help:    "Decides which requests are served. Lines are tried in order; the first whose ACLs all hold decides. When none does, the opposite of the last line's verb holds. Always end the list with deny all."},
	{Name: "http_access2", Effect: Acts, kind: accessList(func(c *Config) *AccessList { return &c.HTTPAccess2 }),
		Help: "A second decision, made after a redirector has rewritten the URL. Without lines there is none."},
	{Name: "http_reply_access", Effect: Acts, IfNone: "allow all", kind: accessList(func(c *Config) *AccessList { return &c.HTTPReplyAccess }),
		Help: "Decides which replies clients get to see, so that ACLs about the reply (rep_mime_type, rep_header) can be used."},
	{Name: "icp_access", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.ICPAccess }),
		Help: "Decides which neighbours get answers to ICP queries."},
	{Name: "htcp_access", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.HTCPAccess }),
		Help: "Decides which neighbours get answers to HTCP queries."},
	{Name: "htcp_clr_access", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.HTCPClrAccess }),
		Help: "Decides who may remove objects from the cache by HTCP CLR."},
	{Name: "miss_access", Effect: Acts, kind: accessList(func(c *Config) *AccessList { return &c.MissAccess }),
		Help: "Decides whose cache misses are fetched. Neighbours that are denied here can use hits only, which makes them siblings whatever they think."},
	{Name: "ident_lookup_access", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.IdentLookupAccess }),
		Help: "Decides for which connections the client's host is asked who opened them (RFC 931). An acl ident asks on its own."},
	{Name: "reply_body_max_size", Effect: Acts, IfNone: "0 allow all", kind: bodySizes(func(c *Config) *[]BodySizeRule { return &c.ReplyBodyMaxSize }),
		Help: "Limits the size of replies, in plain bytes; a unit is not understood. The first line whose ACLs hold counts, 0 is no limit. A reply that says it is larger is refused; one that turns out to be is cut."},
	{Name: "follow_x_forwarded_for", Effect: Acts, IfNone: "deny all", kind: accessList(func(c *Config) *AccessList { return &c.FollowXForwardedFor }),
		Help: "Says whose X-Forwarded-For header is believed. Going back through the header, the address of the first client that is not believed becomes the indirect client's."},
	{Name: "acl_uses_indirect_client", Effect: Acts, Default: "on", kind: onOff(func(c *Config) *bool { return &c.ACLUsesIndirectClient }),
		Help: "Whether ACLs look at the indirect client's address found through follow_x_forwarded_for."},
	{Name: "delay_pool_uses_indirect_client", Effect: Acts, Default: "on", kind: onOff(func(c *Config) *bool { return &c.DelayPoolUsesIndirectClient }),
		Help: "Whether delay pools look at the indirect client's address."},
	{Name: "log_uses_indirect_client", Effect: Acts, Default: "on", kind: onOff(func(c *Config) *bool { return &c.LogUsesIndirectClient }),
		Help: "Whether access logs show the indirect client's address."},
}
