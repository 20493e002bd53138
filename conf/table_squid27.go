package conf

import "time"

// from27 is the note of the rows below.
const from27 = "It came with 2.7."

var squid27Rows = []Directive{
	{Name: "upgrade_http0.9", Extension: from27, kind: accessList(func(c *Config) *AccessList { return &c.UpgradeHTTP09 }),
		Help: "Decides which replies without a status line (HTTP/0.9, some radio streams) are given one."},
	{Name: "update_headers", Extension: from27, Default: "on", kind: onOff(func(c *Config) *bool { return &c.UpdateHeaders }),
		Help: "Whether the headers of a stored object are renewed when it is revalidated."},
	{Name: "ignore_ims_on_miss", Extension: from27, Default: "off", kind: onOff(func(c *Config) *bool { return &c.IgnoreIMSOnMiss }),
		Help: "Whether a conditional request for what is not stored is fetched without the condition, so that it can be."},
	{Name: "chunked_request_body_max_size", Extension: from27, Default: "64 KB", kind: size(func(c *Config) *int64 { return &c.ChunkedRequestBodyMaxSize }),
		Help: "The largest chunked request body that is collected to learn its length."},
	{Name: "authenticate_ip_shortcircuit_access", Extension: from27, kind: accessList(func(c *Config) *AccessList { return &c.AuthenticateIPShortcircuitAccess }),
		Help: "Decides for which requests the user last seen on the address is taken without asking."},
	{Name: "authenticate_ip_shortcircuit_ttl", Extension: from27, Default: "0 seconds", kind: duration(func(c *Config) *time.Duration { return &c.AuthenticateIPShortcircuitTTL }),
		Help: "How long the user last seen on an address is remembered for that."},
	{Name: "cache_uses_indirect_client", Extension: from27, Default: "off", kind: onOff(func(c *Config) *bool { return &c.CacheUsesIndirectClient }),
		Help: "Whether the access list cache looks at the indirect client's address."},
	{Name: "download_fastest_client_speed", Extension: from27, Default: "off", kind: onOff(func(c *Config) *bool { return &c.DownloadFastestClientSpeed }),
		Help: "Whether an object several clients share is fetched at the fastest one's speed."},
	{Name: "http_accel_surrogate_remote", Extension: from27, Default: "off", kind: onOff(func(c *Config) *bool { return &c.HTTPAccelSurrogateRemote }),
		Help: "Whether accelerators act as remote surrogates."},
	{Name: "http_accel_surrogate_id", Extension: from27, kind: word(func(c *Config) *string { return &c.HTTPAccelSurrogateID }),
		Help: "The name of this surrogate; without it the visible host name."},
	{Name: "incoming_rate", Extension: from27, Default: "30", kind: number(func(c *Config) *int { return &c.IncomingRate }), Effect: Moot,
		Help: "Tuned how often one thread looked at incoming sockets. Every socket is waited for by itself here."},
	{Name: "zero_buffers", Extension: from27, Default: "on", kind: onOff(func(c *Config) *bool { return &c.ZeroBuffers }), Effect: Moot,
		Help: "Whether memory was cleared before use. Memory is managed by the Go runtime here."},
	{Name: "n_aiops_threads", Extension: from27, Default: "0", kind: number(func(c *Config) *int { return &c.AIOPSThreads }), Effect: Moot,
		Help: "How many threads served cache_dir aufs. The Go runtime has as many as are needed."},
	{Name: "load_check_stopen", Extension: from27, Default: "on", kind: onOff(func(c *Config) *bool { return &c.LoadCheckStopen }),
		Help: "Whether a busy disk may refuse to serve hits."},
	{Name: "load_check_stcreate", Extension: from27, Default: "on", kind: onOff(func(c *Config) *bool { return &c.LoadCheckStcreate }),
		Help: "Whether a busy disk may refuse to store objects."},
	{Name: "zph_mode", Extension: from27, Default: "off", kind: word(func(c *Config) *string { return &c.ZPHMode }),
		Help: "How hits are marked in packets to clients, so that routers can tell them: off, tos, priority or option."},
	{Name: "zph_local", Extension: from27, Default: "0", kind: number(func(c *Config) *int { return &c.ZPHLocal }),
		Help: "The mark of hits in this cache."},
	{Name: "zph_sibling", Extension: from27, Default: "0", kind: number(func(c *Config) *int { return &c.ZPHSibling }),
		Help: "The mark of hits in siblings."},
	{Name: "zph_parent", Extension: from27, Default: "0", kind: number(func(c *Config) *int { return &c.ZPHParent }),
		Help: "The mark of hits in parents."},
	{Name: "zph_option", Extension: from27, Default: "136", kind: number(func(c *Config) *int { return &c.ZPHOption }),
		Help: "The IP option that carries the mark with zph_mode option."},
}
