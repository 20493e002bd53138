package conf

import (
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// RefreshSettings say how long objects stay fresh and when fetches go on without a client.
type RefreshSettings struct {
	// RefreshPatterns is refresh_pattern.
	RefreshPatterns []*RefreshPattern
	// QuickAbortMin and QuickAbortMax are quick_abort_min and quick_abort_max (bytes, a multiple of 1024).
	QuickAbortMin, QuickAbortMax int64
	// QuickAbortPct is quick_abort_pct.
	QuickAbortPct int
	// ReadAheadGap is read_ahead_gap.
	ReadAheadGap int64
	// NegativeTTL is negative_ttl.
	NegativeTTL time.Duration
	// PositiveDNSTTL is positive_dns_ttl.
	PositiveDNSTTL time.Duration
	// NegativeDNSTTL is negative_dns_ttl.
	NegativeDNSTTL time.Duration
	// RangeOffsetLimit is range_offset_limit.
	RangeOffsetLimit int64
	// MinimumExpiryTime is minimum_expiry_time.
	MinimumExpiryTime time.Duration
	// CacheVary is cache_vary.
	CacheVary bool
	// CollapsedForwarding is collapsed_forwarding.
	CollapsedForwarding bool
	// RefreshStaleHit is refresh_stale_hit.
	RefreshStaleHit time.Duration
	// IERefresh is ie_refresh.
	IERefresh bool
	// VaryIgnoreExpire is vary_ignore_expire.
	VaryIgnoreExpire bool
	// ReloadIntoIMS is reload_into_ims.
	ReloadIntoIMS bool
	// OfflineMode is offline_mode.
	OfflineMode bool
}

// RefreshPattern is one refresh_pattern line.
type RefreshPattern struct {
	Regex    Regex
	Min, Max time.Duration
	// Percent is the last-modified factor times 100, not below 0.
	Percent int

	OverrideExpire, OverrideLastmod, ReloadIntoIMS bool
	IgnoreReload, IgnoreNoCache                    bool
	IgnorePrivate, IgnoreAuth                      bool

	// RefreshIMS, IgnoreNoStore and IgnoreMustRevalidate are extensions (3.x).
	RefreshIMS, IgnoreNoStore, IgnoreMustRevalidate bool

	// IgnoreStaleWhileRevalidate, StaleWhileRevalidate, MaxStale and NegativeTTL
	// are extensions (2.7); the times are -1 when not given.
	IgnoreStaleWhileRevalidate bool
	StaleWhileRevalidate       time.Duration
	MaxStale                   time.Duration
	NegativeTTL                time.Duration

	Pos parser.Pos
}
