package freshness

// Tag is what access.log calls the way a request was answered.
type Tag string

// The tags of 2.6, and 2.7's for refreshes in the background.
const (
	TagMiss              Tag = "TCP_MISS"                // nothing stored that could be used
	TagHit               Tag = "TCP_HIT"                 // from disk
	TagMemHit            Tag = "TCP_MEM_HIT"             // from memory
	TagNegativeHit       Tag = "TCP_NEGATIVE_HIT"        // a stored error
	TagIMSHit            Tag = "TCP_IMS_HIT"             // 304 from the cache
	TagRefreshHit        Tag = "TCP_REFRESH_HIT"         // stale, the origin was asked, the object was served
	TagRefreshMiss       Tag = "TCP_REFRESH_MISS"        // stale, the origin sent another one
	TagRefreshFailHit    Tag = "TCP_REFRESH_FAIL_HIT"    // stale, the origin could not be asked, served all the same
	TagClientRefreshMiss Tag = "TCP_CLIENT_REFRESH_MISS" // the client's reload
	TagStaleHit          Tag = "TCP_STALE_HIT"           // stale, and the origin is being asked, or was just now
	TagOfflineHit        Tag = "TCP_OFFLINE_HIT"         // offline_mode
	TagAsyncHit          Tag = "TCP_ASYNC_HIT"           // a refresh in the background: still the same
	TagAsyncMiss         Tag = "TCP_ASYNC_MISS"          // a refresh in the background: another one
	TagSwapFailMiss      Tag = "TCP_SWAPFAIL_MISS"       // the file of the object was not what it should be
)

// Lookup is the first word of X-Cache and X-Cache-Lookup.
type Lookup string

// The words of both fields.
const (
	LookupNone Lookup = "NONE" // the store was not asked
	LookupMiss Lookup = "MISS"
	LookupHit  Lookup = "HIT"
)
