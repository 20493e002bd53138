package freshness

import (
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Rules are the directives that bend or fill in HTTP, in the shape the functions
// of this package want them. They are immutable.
type Rules struct {
	patterns []pattern

	// NegativeTTL, MinimumExpiry, MaxStale and RefreshStaleHit are negative_ttl,
	// minimum_expiry_time, max_stale and refresh_stale_hit in seconds.
	NegativeTTL, MinimumExpiry, MaxStale, RefreshStaleHit int64
	// RangeOffsetLimit is range_offset_limit in bytes, -1 for none.
	RangeOffsetLimit int64
	// CacheVary and the others are the directives of these names.
	CacheVary, ReloadIntoIMS, IERefresh, VaryIgnoreExpire, Offline bool
	UpdateHeaders, IgnoreIMSOnMiss                                 bool
	// ByRFC is rfc9111_rules: what the RFC allows counts where 2.6 does less.
	ByRFC bool
	// Surrogate is the name by which origins target an accelerator with
	// Surrogate-Control, "" where that is not heard. SurrogateRemote is
	// http_accel_surrogate_remote. Both are set by who knows the name of the host.
	Surrogate       string
	SurrogateRemote bool

	// bendsReload: some rule changes what a reload means.
	bendsReload bool
	// bendsExpiry: some rule keeps an object fresh behind its Expires.
	bendsExpiry bool
}

// Rule is a refresh_pattern line. Times are in seconds, -1 when not given.
type Rule struct {
	Min, Max int64
	Percent  int64
	// The options, by their names.
	OverrideExpire, OverrideLastmod, ReloadIntoIMS, IgnoreReload, RefreshIMS bool
	IgnoreNoCache, IgnorePrivate, IgnoreAuth, IgnoreNoStore                  bool
	IgnoreMustRevalidate, IgnoreStaleWhileRevalidate                         bool
	StaleWhileRevalidate, MaxStale, NegativeTTL                              int64
}

// builtin is what 2.6 goes by when no refresh_pattern matches.
var builtin = Rule{Percent: 20, Max: 259200, StaleWhileRevalidate: -1, MaxStale: -1, NegativeTTL: -1}

// NewRules takes what concerns it from a configuration. An error names the line
// of a refresh_pattern whose expression cannot be used.
func NewRules(cfg *conf.Config) (*Rules, error) {
	r := &Rules{
		NegativeTTL:      seconds(cfg.NegativeTTL),
		MinimumExpiry:    seconds(cfg.MinimumExpiryTime),
		MaxStale:         seconds(cfg.MaxStale),
		RefreshStaleHit:  seconds(cfg.RefreshStaleHit),
		RangeOffsetLimit: cfg.RangeOffsetLimit,
		CacheVary:        cfg.CacheVary,
		ReloadIntoIMS:    cfg.ReloadIntoIMS,
		IERefresh:        cfg.IERefresh,
		VaryIgnoreExpire: cfg.VaryIgnoreExpire,
		Offline:          cfg.OfflineMode,
		UpdateHeaders:    cfg.UpdateHeaders,
		IgnoreIMSOnMiss:  cfg.IgnoreIMSOnMiss,
		ByRFC:            cfg.RFC9111Rules,
		bendsReload:      cfg.ReloadIntoIMS,
	}
	if r.ByRFC {
		r.MinimumExpiry, r.ReloadIntoIMS, r.bendsReload = 0, true, true
	}
	for _, p := range cfg.RefreshPatterns {
		compiled, err := newPattern(p)
		if err != nil {
			return nil, fmt.Errorf("%s: refresh_pattern %s: %w", p.Pos, p.Regex.Pattern, err)
		}
		r.patterns = append(r.patterns, compiled)
		r.bendsExpiry = r.bendsExpiry || p.OverrideExpire
		r.bendsReload = r.bendsReload || p.IgnoreReload || p.ReloadIntoIMS
	}
	return r, nil
}

func newRule(p *conf.RefreshPattern) Rule {
	return Rule{
		Min: seconds(p.Min), Max: seconds(p.Max), Percent: int64(p.Percent),
		OverrideExpire: p.OverrideExpire, OverrideLastmod: p.OverrideLastmod, ReloadIntoIMS: p.ReloadIntoIMS,
		IgnoreReload: p.IgnoreReload, RefreshIMS: p.RefreshIMS,
		IgnoreNoCache: p.IgnoreNoCache, IgnorePrivate: p.IgnorePrivate, IgnoreAuth: p.IgnoreAuth,
		IgnoreNoStore: p.IgnoreNoStore, IgnoreMustRevalidate: p.IgnoreMustRevalidate,
		IgnoreStaleWhileRevalidate: p.IgnoreStaleWhileRevalidate,
		StaleWhileRevalidate:       seconds(p.StaleWhileRevalidate),
		MaxStale:                   seconds(p.MaxStale),
		NegativeTTL:                seconds(p.NegativeTTL),
	}
}

// seconds rounds towards 0; conf gives -1 (a nanosecond) for what is not there.
func seconds(d time.Duration) int64 {
	if d < 0 && d > -time.Second {
		return -1
	}
	return int64(d / time.Second)
}
