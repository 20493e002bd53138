package freshness

// Action is what to do with a request.
type Action uint8

// The answers of Decide.
const (
	// Fetch asks the origin as if nothing were stored.
	Fetch Action = iota
	// Serve answers from the store.
	Serve
	// Refresh asks the origin with Revalidation's conditions first.
	Refresh
	// ServeStale answers from the store and has the origin asked in the background.
	ServeStale
	// Refuse answers 504: the client takes stored objects only.
	Refuse
)

// Decision is what to do with a request, and how it is logged if nothing comes
// between (a 304 from the store is TagIMSHit, see Precondition).
type Decision struct {
	Action Action
	Tag    Tag
	Lookup Lookup // of X-Cache-Lookup
	Basis  Basis
}

// Found describes what a lookup found.
type Found struct {
	// Object is nil when there is nothing for this request.
	Object *Object
	// Others: there are variants of the URL, none of them for this request.
	Others bool
	// InMemory: the body need not be read from disk.
	InMemory bool
	// Refreshing: somebody is asking the origin about the object now.
	Refreshing bool
	// Coming: the object is still on its way here, or the request has waited for it.
	Coming bool
	// Ahead: the request is for a part that is not here yet, and will not be soon.
	Ahead bool
	// HTTP: the origin can be asked whether the object is still the same.
	HTTP bool
	// Matches: the object has an entity tag of the request's If-Match.
	Matches bool
}

// Decide says what to do with a request whose reply may come from the store.
func (r *Rules) Decide(rule *Rule, q *Request, f Found, now int64) Decision {
	d := r.decide(rule, q, f, now)
	if !q.Control.Has(OnlyIfCached) {
		return d
	}
	switch d.Action {
	case Refresh:
		d.Action, d.Tag = Refuse, TagHit // so 2.6 logs it
	case Fetch:
		d.Action = Refuse
	}
	return d
}

func (r *Rules) decide(rule *Rule, q *Request, f Found, now int64) Decision {
	o := f.Object
	bends := r.bendsReload || rule.ReloadIntoIMS || rule.IgnoreReload
	if r.Offline && !bends {
		q.Reload = false
	}
	switch {
	case o == nil && f.Others && q.Reload && !bends:
		return Decision{Action: Fetch, Tag: TagClientRefreshMiss, Lookup: LookupHit, Basis: ByReload}
	case o == nil:
		return Decision{Action: Fetch, Tag: TagMiss, Lookup: LookupMiss}
	}
	d := Decision{Action: Serve, Tag: TagHit, Lookup: LookupHit}
	if f.InMemory {
		d.Tag = TagMemHit
	}
	switch {
	case o.Has(Negative) && (now >= o.Expires || f.Coming): // 2.6 shares no error with those who wait
		d.Action, d.Tag = Fetch, TagMiss
		return d
	case (q.ForOrigin || f.Ahead) && !r.Offline:
		d.Action, d.Tag = Fetch, TagMiss
		return d
	case q.Reload && !bends:
		d.Action, d.Tag, d.Basis = Fetch, TagClientRefreshMiss, ByReload
		return d
	case o.Has(Negative) && q.Reload: // a reload that is bent: 2.6 forgets about the error
		d.Action, d.Tag = Fetch, TagMiss
		return d
	case o.Has(Negative):
		d.Tag, d.Basis = TagNegativeHit, ByExpiry
		return d
	case !f.Matches && q.Matching, q.noneMatch() && o.Status != 200 && o.Status != 206 && !r.ByRFC:
		d.Action, d.Tag = Fetch, TagMiss
		return d
	case r.Offline: // what is not an error, and has the tags that are asked for, is served whatever its age
		if r.Check(rule, o, q, now).Stale {
			d.Tag = TagOfflineHit
		}
		return d
	}
	v := r.Check(rule, o, q, now)
	d.Basis = v.Basis
	switch {
	case !v.Stale:
	case v.Basis == ByReload:
		d.Action, d.Tag = Fetch, TagClientRefreshMiss
	case !f.HTTP:
		d.Action, d.Tag = Fetch, TagMiss
	case v.Staleness < 0 || v.Basis > ByMaximum || o.Has(NeverStale) && !rule.IgnoreMustRevalidate:
		d.Action, d.Tag = Refresh, TagRefreshMiss
	case r.justAsked(o, f, v.Staleness, now):
		d.Tag = TagStaleHit
	case rule.staleness(o) >= v.Staleness:
		d.Action, d.Tag = ServeStale, TagStaleHit
	default:
		d.Action, d.Tag = Refresh, TagRefreshMiss
	}
	return d
}

// justAsked is refresh_stale_hit: a stale object is served as it is while somebody asks
// the origin about it, and for so long after the origin was asked last.
func (r *Rules) justAsked(o *Object, f Found, staleness, now int64) bool {
	return f.Refreshing && staleness < r.RefreshStaleHit || o.Age(now) < r.RefreshStaleHit
}

// staleness is for how many seconds behind the end of its freshness an object is served
// while the origin is asked in the background (stale-while-revalidate), negative for none.
func (rule *Rule) staleness(o *Object) int64 {
	window := int64(o.StaleWhileRevalidate)
	if rule.IgnoreStaleWhileRevalidate {
		window = -1
	}
	if rule.StaleWhileRevalidate >= 0 && window < 0 {
		window = rule.StaleWhileRevalidate
	}
	return window
}

// MayFailStale reports whether a stale object may be served because the origin cannot
// be asked or answers with an error: max_stale and the refresh_pattern's max-stale
// bound it, stale-if-error of the origin goes beyond them, and must-revalidate
// forbids it (RFC 9111 section 4.2.4, RFC 5861 section 4).
func (r *Rules) MayFailStale(rule *Rule, o *Object, now int64) bool {
	v := r.Check(rule, o, nil, now)
	if v.Basis == ByNoCache {
		return false
	}
	if v.Stale && o.Has(NeverStale) && !rule.IgnoreMustRevalidate {
		return false
	}
	most := r.MaxStale
	if rule.MaxStale >= 0 {
		most = rule.MaxStale
	}
	if int64(o.StaleIfError) > most {
		most = int64(o.StaleIfError)
	}
	return v.Staleness <= most
}
