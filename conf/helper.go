package conf

// HelperSettings are the programs the proxy talks to.
type HelperSettings struct {
	// URLRewriteProgram is url_rewrite_program (redirect_program): command and arguments.
	URLRewriteProgram []string
	// URLRewriteChildren is url_rewrite_children (redirect_children).
	URLRewriteChildren int
	// URLRewriteConcurrency is url_rewrite_concurrency (redirect_concurrency).
	URLRewriteConcurrency int
	// URLRewriteHostHeader is url_rewrite_host_header (redirect_rewrites_host_header).
	URLRewriteHostHeader bool
	// RedirectorBypass is redirector_bypass.
	RedirectorBypass bool
	// LocationRewriteProgram is location_rewrite_program.
	LocationRewriteProgram []string
	// LocationRewriteChildren is location_rewrite_children.
	LocationRewriteChildren int
	// LocationRewriteConcurrency is location_rewrite_concurrency.
	LocationRewriteConcurrency int
	// DiskdProgram is diskd_program.
	DiskdProgram string
	// UnlinkdProgram is unlinkd_program.
	UnlinkdProgram string
	// PingerProgram is pinger_program.
	PingerProgram string
	// CacheDNSProgram is cache_dns_program.
	CacheDNSProgram string
	// DNSChildren is dns_children.
	DNSChildren int
}
