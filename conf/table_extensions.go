package conf

// extensionRows are directives 2.6 does not know. testdata/conf/extensions lists
// them with reasons; -k parse -v names each use.
var extensionRows = []Directive{
	{Name: "include", Extension: "It came with 2.7.", kind: include(), Example: "include /etc/squid/conf.d/*.conf",
		Help: "Reads further files at this place, in the order of their names. A pattern that matches nothing is no error, a plain name that is missing is."},
	{Name: "server_http11", Extension: "It came with 2.7.", Default: "off", kind: onOff(func(c *Config) *bool { return &c.ServerHTTP11 }),
		Help: "Whether origins are spoken to in HTTP/1.1."},
	{Name: "max_filedescriptors", Aliases: []string{"max_filedesc"}, Extension: "It came with 2.7.", Default: "0", kind: number(func(c *Config) *int { return &c.MaxFiledescriptors }),
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
}
