package conf

import "time"

// extensionRows are directives 2.6 does not know. testdata/conf/extensions lists
// them with reasons; -k parse -v names each use.
var extensionRows = []Directive{
	{Name: "include", Effect: Acts, Extension: "It came with 2.7.", kind: include(), Example: "include /etc/squid/conf.d/*.conf",
		Help: "Reads further files at this place, in the order of their names. A pattern that matches nothing is no error, a plain name that is missing is."},
	{Name: "server_http11", Effect: Acts, Extension: "It came with 2.7.", Default: "off", kind: onOff(func(c *Config) *bool { return &c.ServerHTTP11 }),
		Help: "Whether origins are spoken to in HTTP/1.1."},
	{Name: "max_filedescriptors", Effect: Acts, Extension: "It came with 2.7.", Default: "0", kind: number(func(c *Config) *int { return &c.MaxFiledescriptors }),
		Help: "How many files and sockets may be open; 0 takes the limit the process was started with."},
	{Name: "storeurl_rewrite_program", Extension: "It came with 2.7.", kind: program(func(c *Config) *[]string { return &c.StoreURLRewriteProgram }),
		Help: "The command line of a program that is told URLs and answers with the one an object is stored under."},
	{Name: "storeurl_rewrite_children", Extension: "It came with 2.7.", Default: "5", kind: number(func(c *Config) *int { return &c.StoreURLRewriteChildren }),
		Help: "How many storeurl_rewrite_program processes run."},
	{Name: "storeurl_rewrite_concurrency", Extension: "It came with 2.7.", Default: "0", kind: number(func(c *Config) *int { return &c.StoreURLRewriteConcurrency }),
		Help: "As url_rewrite_concurrency, for storeurl_rewrite_program."},
	{Name: "storeurl_access", Extension: "It came with 2.7.", kind: accessList(func(c *Config) *AccessList { return &c.StoreURLAccess }),
		Help: "Decides which requests storeurl_rewrite_program is told; without lines, all."},
	{Name: "logfile_daemon", Extension: "It came with 2.7.", Default: "@libexec@/logfile-daemon", kind: path(func(c *Config) *string { return &c.LogfileDaemon }),
		Help: "The program behind access_log daemon:path."},
	{Name: "wccp2_mask", Extension: "It is ours; 2.6 has this mask built in.", Default: "0x1741", kind: wccpMask(), Effect: Acts,
		Example: "wccp2_mask 0x7f",
		Help:    "The bits of the hashed address or port that mask assignment looks at, eight at most; each combination is one value a switch has to store."},
	{Name: "wccp2_division", Extension: "It is ours; 2.6 knows one way.", Default: "recorded", kind: wccpDivision(), Effect: Acts,
		Help: "How buckets are handed round the caches: recorded depends on nothing but the set of caches and their weights; minimal moves no buckets but those of a cache that leaves, and to one that comes."},
	{Name: "wccp2_shutdown_wait", Extension: "It is ours; 2.6 just falls silent.", Default: "35 seconds", kind: duration(func(c *Config) *time.Duration { return &c.WCCP.ShutdownWait }), Effect: Acts,
		Help: "How long a shutdown may wait until WCCP routers send nothing to this cache any more."},
	{Name: "network_setup", Extension: "It is our own.", Default: "off", Effect: Acts, kind: onOff(func(c *Config) *bool { return &c.NetworkSetup }),
		Help: "Whether the host's network is made ready to intercept at the start, as squid -k setup does it, and put back at the end."},
	{Name: "host_verify", Extension: "It is ours.", Default: "on", Effect: Acts, kind: onOff(func(c *Config) *bool { return &c.HostVerify }),
		Help: "Whether the host name of an intercepted request is checked against the address the client dialled, and the request sent to that address. With off it is sent to what the name resolves to, as 2.6 did."},
	{Name: "host_verify_strict", Extension: "It came with 3.2.", Default: "off", Effect: Acts, kind: onOff(func(c *Config) *bool { return &c.HostVerifyStrict }),
		Help: "Whether an intercepted request is refused when its host name does not belong to the address the client dialled. It waits for DNS."},
	{Name: "client_dst_passthru", Extension: "It came with 3.2.", Default: "on", Effect: Acts, kind: onOff(func(c *Config) *bool { return &c.ClientDstPassthru }),
		Help: "Whether an intercepted request whose host name was verified goes to the very address the client dialled. With off, all addresses of the name may be used."},
	{Name: "host_verify_memory", Extension: "It is ours.", Default: "1 day", Effect: Acts, kind: duration(func(c *Config) *time.Duration { return &c.HostVerifyMemory }),
		Help: "How long an address that was in a DNS answer counts as one of the name's, since many names answer differently each time."},
}
