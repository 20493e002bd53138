package conf

import "time"

var adminRows = []Directive{
	{Name: "cache_mgr", Effect: Acts, Default: "webmaster", kind: word(func(c *Config) *string { return &c.CacheMgr }),
		Help: "The mail address shown on error pages; it also gets a mail when the cache dies."},
	{Name: "mail_from", kind: word(func(c *Config) *string { return &c.MailFrom }),
		Help: "The sender of that mail; without it the name of the program and the host."},
	{Name: "mail_program", Default: "mail", kind: text(func(c *Config) *string { return &c.MailProgram }),
		Help: "The program that sends that mail."},
	{Name: "cache_effective_user", Effect: Acts, Default: "@user@", kind: word(func(c *Config) *string { return &c.CacheEffectiveUser }),
		Help: "The user the proxy becomes when root starts it. The user must exist."},
	{Name: "cache_effective_group", Effect: Acts, kind: word(func(c *Config) *string { return &c.CacheEffectiveGroup }),
		Help: "The group the proxy becomes; without it the groups of cache_effective_user."},
	{Name: "httpd_suppress_version_string", Effect: Acts, Default: "off", kind: onOff(func(c *Config) *bool { return &c.HTTPDSuppressVersionString }),
		Help: "Whether the version is left out of headers and error pages."},
	{Name: "visible_hostname", Effect: Acts, kind: word(func(c *Config) *string { return &c.VisibleHostname }), Example: "visible_hostname cache.example.net",
		Help: "The name shown in error pages, Via and so on. Without it the machine must have a name with a dot."},
	{Name: "unique_hostname", Effect: Acts, kind: word(func(c *Config) *string { return &c.UniqueHostname }),
		Help: "A name no other member of a group of caches with the same visible_hostname has, to find loops."},
	{Name: "hostname_aliases", Effect: Acts, kind: words(func(c *Config) *[]string { return &c.HostnameAliases }),
		Help: "Other names of this machine."},
	{Name: "umask", Effect: Acts, Default: "027", kind: octal(func(c *Config) *int { return &c.Umask }),
		Help: "The permissions new files are not given, beyond what the process had when started. Write it in octal, with a leading 0."},
	{Name: "announce_period", Default: "0", kind: duration(func(c *Config) *time.Duration { return &c.AnnouncePeriod }),
		Help: "How often the cache announces itself by mail to a registry; 0 never. The registry is gone."},
	{Name: "announce_host", Default: "tracker.ircache.net", kind: word(func(c *Config) *string { return &c.AnnounceHost }),
		Help: "The host that gets announcements."},
	{Name: "announce_file", kind: path(func(c *Config) *string { return &c.AnnounceFile }),
		Help: "A file whose text is added to announcements."},
	{Name: "announce_port", Default: "3131", kind: port(func(c *Config) *uint16 { return &c.AnnouncePort }),
		Help: "The UDP port that gets announcements."},
	{Name: "httpd_accel_no_pmtu_disc", Effect: Acts, Default: "off", kind: onOff(func(c *Config) *bool { return &c.HTTPDAccelNoPMTUDisc }),
		Help: "Whether path MTU discovery is turned off on intercepted connections, whose ICMP messages may not come back here. Recommended with TPROXY."},
	{Name: "cachemgr_passwd", kind: cachemgrPasswords(func(c *Config) *[]CachemgrPasswd { return &c.CachemgrPasswd }),
		Example: "cachemgr_passwd secret shutdown offline_toggle\ncachemgr_passwd disable all",
		Help:    "The password of cache manager actions. none opens them, disable forbids them; all names every action. The first line that names an action counts."},
	{Name: "chroot", kind: path(func(c *Config) *string { return &c.Chroot }),
		Help: "The folder that becomes the root of the file system after start-up. Paths behind it are looked for inside."},
}

var delayRows = []Directive{
	{Name: "delay_pools", Effect: Acts, Default: "0", kind: delayPools(),
		Example: "acl lan src 10.0.0.0/8\ndelay_pools 1\ndelay_class 1 2\ndelay_access 1 allow lan\ndelay_parameters 1 64000/64000 8000/16000",
		Help:    "How many delay pools there are. Must stand in front of the other delay_ lines; a second line forgets all pools."},
	{Name: "delay_class", Effect: Acts, kind: delayClass(),
		Help: "The class of a pool: 1 one bucket for all, 2 that and one for each of 256 hosts, 3 that and one for each of 256 networks, with 256 hosts each. " +
			"The third octet of an IPv4 address is the network and the fourth the host, as in 2.6. Of an IPv6 address the first 64 bits are the network and the others the host: the eight octets of each are folded into one by exclusive or."},
	{Name: "delay_access", Effect: Acts, kind: delayAccess(),
		Help: "Decides which requests a pool slows down. The first pool that allows a request gets it; one without such a line gets every request. " +
			"What comes from origins and peers is slowed down, tunnels too; what the store has, what clients send and pages of the proxy's own are not."},
	{Name: "delay_parameters", Effect: Acts, kind: delayParameters(),
		Help: "Rate and size of a pool's buckets as restore/max, in bytes a second and bytes; -1/-1 is no limit. Class 1 has one pair (all), class 2 two (all, host), class 3 three (all, network, host). " +
			"Buckets fill all the time; who shares one gets equal parts of it, whatever the number of his transfers. Of restore 0 the first fill is all there is, a negative max is none. " +
			"With a reconfigure all begin anew, for transfers that run on, too."},
	{Name: "delay_initial_bucket_level", Effect: Acts, Default: "50", kind: port(func(c *Config) *uint16 { return &c.Delay.InitialBucketLevel }),
		Help: "How many percent full buckets are at first."},
}

var errorRows = []Directive{
	{Name: "icon_directory", Effect: Acts, Default: "@icons@", kind: path(func(c *Config) *string { return &c.IconDirectory }),
		Help: "The folder of the icons in FTP and gopher listings."},
	{Name: "global_internal_static", Effect: Acts, Default: "on", kind: onOff(func(c *Config) *bool { return &c.GlobalInternalStatic }),
		Help: "Whether every request for /squid-internal-static/ is answered here, whatever host it names."},
	{Name: "short_icon_urls", Effect: Obsolete, Default: "off", kind: onOff(func(c *Config) *bool { return &c.ShortIconURLs }),
		Help: "Whether listings of FTP and gopher servers had icon URLs without a host. No listing is made here: such URLs are refused."},
	{Name: "error_directory", Effect: Acts, Default: "@errors@", kind: path(func(c *Config) *string { return &c.ErrorDirectory }),
		Help: "The folder of the error pages; copies can be changed to taste. Pages are built in for when files are missing."},
	{Name: "error_map", Effect: Acts, kind: errorMaps(func(c *Config) *[]ErrorMap { return &c.ErrorMap }),
		Help: "A URL whose page replaces origins' errors of these status codes. %s in it stands for the URL asked for."},
	{Name: "err_html_text", Effect: Acts, kind: text(func(c *Config) *string { return &c.ErrHTMLText }),
		Help: "HTML shown in place of %L in error pages."},
	{Name: "deny_info", Effect: Acts, kind: denyInfos(func(c *Config) *[]DenyInfo { return &c.DenyInfo }),
		Example: "acl bad dstdomain .example.org\ndeny_info ERR_CUSTOM bad\ndeny_info http://www.example.com/denied bad",
		Help:    "The page of error_directory, or the URL to redirect to, for requests that one of these ACLs, standing last in an http_access line, denied. TCP_RESET as page resets the connection."},
}
