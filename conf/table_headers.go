package conf

var headerRows = []Directive{
	{Name: "extension_methods", Effect: Acts, kind: extensionMethods(func(c *Config) *[]string { return &c.ExtensionMethods }),
		Example: "extension_methods PATCH MKCALENDAR",
		Help:    "Names of request methods to accept beside the known ones, up to 20. Others are refused."},
	{Name: "request_entities", Effect: Acts, Default: "off", kind: onOff(func(c *Config) *bool { return &c.RequestEntities }),
		Help: "Whether GET and HEAD requests may have a body."},
	{Name: "header_access", Effect: Acts, kind: headerAccess(func(c *Config) *[]HeaderAccess { return &c.HeaderAccess }),
		Example: "header_access From deny all\nheader_access User-Agent deny all",
		Help:    "Takes headers out of requests and replies: the header's name (or All, or Other for those that have no number here) and an access rule. Denied headers are removed, or replaced by header_replace."},
	{Name: "header_replace", Effect: Acts, kind: headerReplace(func(c *Config) *[]HeaderReplace { return &c.HeaderReplace }),
		Example: "header_replace User-Agent Nutscrape/1.0 (CP/M; 8-bit)",
		Help:    "The value a header gets that header_access denies."},
	{Name: "relaxed_header_parser", Effect: Acts, Default: "on", kind: tristate(func(c *Config) *Tristate { return &c.RelaxedHeaderParser }),
		Help: "Whether headers with small mistakes are forgiven; warn forgives and logs them."},
	{Name: "uri_whitespace", Effect: Acts, Default: "strip", kind: uriWhitespace(func(c *Config) *URIWhitespace { return &c.URIWhitespace }),
		Help: "What to do with blanks in a URL: strip them, deny the request, allow them, encode them, or chop the URL there."},
	{Name: "forwarded_for", Effect: Acts, Default: "on", kind: onOff(func(c *Config) *bool { return &c.ForwardedFor }),
		Help: "Whether X-Forwarded-For tells the client's address; off writes unknown."},
}
