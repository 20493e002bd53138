package conf

import "time"

// Squid27Settings are directives of 2.7 that files of its users carry. They are
// read and checked, so that such a file can be taken over unchanged.
type Squid27Settings struct {
	// UpgradeHTTP09 is upgrade_http0.9: replies without a status line that become HTTP/1.0.
	UpgradeHTTP09 AccessList
	// UpdateHeaders is update_headers: stored headers are renewed after a revalidation.
	UpdateHeaders bool
	// IgnoreIMSOnMiss is ignore_ims_on_miss: a miss is fetched unconditionally.
	IgnoreIMSOnMiss bool
	// ChunkedRequestBodyMaxSize is chunked_request_body_max_size.
	ChunkedRequestBodyMaxSize int64
	// AuthenticateIPShortcircuitAccess is authenticate_ip_shortcircuit_access.
	AuthenticateIPShortcircuitAccess AccessList
	// AuthenticateIPShortcircuitTTL is authenticate_ip_shortcircuit_ttl.
	AuthenticateIPShortcircuitTTL time.Duration
	// CacheUsesIndirectClient is cache_uses_indirect_client.
	CacheUsesIndirectClient bool
	// DownloadFastestClientSpeed is download_fastest_client_speed.
	DownloadFastestClientSpeed bool
	// HTTPAccelSurrogateRemote is http_accel_surrogate_remote.
	HTTPAccelSurrogateRemote bool
	// HTTPAccelSurrogateID is http_accel_surrogate_id.
	HTTPAccelSurrogateID string
	// MaxStale is max_stale.
	MaxStale time.Duration
	// ExternalRefreshCheck is external_refresh_check.
	ExternalRefreshCheck RefreshCheck
	// IncomingRate is incoming_rate.
	IncomingRate int
	// ZeroBuffers is zero_buffers.
	ZeroBuffers bool
	// AIOPSThreads is n_aiops_threads.
	AIOPSThreads int
	// LoadCheckStopen is load_check_stopen.
	LoadCheckStopen bool
	// LoadCheckStcreate is load_check_stcreate.
	LoadCheckStcreate bool
	// ZPHMode is zph_mode.
	ZPHMode ZPHMode
	// ZPHLocal is zph_local: the mark of local hits, 0 for none, at most 255 where it is
	// the type of service, else 65535; so are the others.
	ZPHLocal int
	// ZPHSibling is zph_sibling: the mark of hits in siblings.
	ZPHSibling int
	// ZPHParent is zph_parent: the mark of hits in parents.
	ZPHParent int
	// ZPHOption is zph_option: the IP option that carries the mark.
	ZPHOption int
}
