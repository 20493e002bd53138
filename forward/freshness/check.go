package freshness

// Basis is the rule a verdict rests on.
type Basis uint8

// What can decide whether an object is fresh.
const (
	ByExpiry          Basis = iota // Expires, max-age or s-maxage of the origin
	ByLastModified                 // the percentage of refresh_pattern
	ByMinimum                      // the minimum of refresh_pattern
	ByMaximum                      // the maximum of refresh_pattern
	ByOverride                     // override-expire or override-lastmod
	ByRequestAge                   // the client's max-age
	ByRequestMaxStale              // the client's max-stale
	ByReload                       // the client's reload, to be fetched anew
	ByReloadIntoIMS                // the client's reload, made a question to the origin
	ByRefreshIMS                   // refresh-ims: a conditional request asks the origin
	ByNoCache                      // no-cache of the origin
	ByRequestMinFresh              // the client's min-fresh
)

// Verdict is the answer of Check.
type Verdict struct {
	Stale bool
	Basis Basis
	// Staleness is how many seconds ago freshness ended, -1 while it lasts,
	// whatever the client wants.
	Staleness int64
}

// Check decides whether an object is fresh at a time, for a request or, with nil,
// as such. Freshness ends when the origin says; failing that, after Percent of the
// time between Last-Modified and the reply, else after Min, in both cases no later
// than behind Max.
func (r *Rules) Check(rule *Rule, o *Object, q *Request, now int64) Verdict {
	until, basis := freshUntil(rule, o)
	v := Verdict{Stale: now >= until, Basis: basis, Staleness: -1}
	if v.Stale {
		v.Staleness = now - until
	}
	if o.Has(AskedAlways) && !rule.IgnoreNoCache {
		v.Stale, v.Basis, v.Staleness = true, ByNoCache, max(0, v.Staleness)
		return v
	}
	bound := v.Stale && o.Has(NeverStale) && !rule.IgnoreMustRevalidate
	if bound {
		return v
	}
	if q != nil {
		if demanded, decided := r.demand(rule, o, q, now, v); decided {
			return demanded
		}
		if r.ByRFC && !v.Stale && q.Control.Has(MinFresh) && until-now < int64(q.Control.MinFresh) {
			v.Stale, v.Basis = true, ByRequestMinFresh
			return v
		}
	}
	if v.Stale && o.Age(now) < rule.Min &&
		(rule.OverrideExpire && basis == ByExpiry || rule.OverrideLastmod && basis == ByLastModified) {
		v.Stale, v.Basis = false, ByOverride
	}
	return v
}

// Lasts reports whether an object is fresh at a time, as such. Its URL, which chooses the
// rule, is only asked for where the object's Expires does not decide.
func (r *Rules) Lasts(o *Object, then int64, url func() []byte) bool {
	if o.Expires != None && !o.Has(AskedAlways) && (then < o.Expires || !r.bendsExpiry) {
		return then < o.Expires
	}
	return !r.Check(r.Of(url()), o, nil, then).Stale
}

// freshUntil is when freshness ends, and by which rule.
func freshUntil(rule *Rule, o *Object) (until int64, basis Basis) {
	if o.Expires != None {
		return o.Expires, ByExpiry
	}
	lifetime := rule.Min
	basis = ByMinimum
	if o.LastModified != None && o.Timestamp > o.LastModified {
		lifetime, basis = percentOf(o.Timestamp-o.LastModified, rule.Percent), ByLastModified
	}
	if lifetime > rule.Max {
		lifetime, basis = rule.Max+1, ByMaximum // an age of Max is still fresh
	}
	return o.Timestamp + lifetime, basis
}

// percentOf does not overflow for any time a field can name.
func percentOf(n, percent int64) int64 {
	const most = 1 << 40
	return min(n, most) * min(percent, 1<<20) / 100
}

// demand is what the client's request makes of a verdict.
func (r *Rules) demand(rule *Rule, o *Object, q *Request, now int64, v Verdict) (Verdict, bool) {
	if q.Reload && !rule.IgnoreReload {
		v.Stale, v.Basis = true, ByReload
		if rule.ReloadIntoIMS || r.ReloadIntoIMS {
			v.Basis = ByReloadIntoIMS
		}
		return v, true
	}
	if rule.RefreshIMS && q.Conditional {
		v.Stale, v.Basis = true, ByRefreshIMS
		return v, true
	}
	if q.Control.Has(MaxAge) {
		most := int64(q.Control.MaxAge)
		spared := most == 0 && (rule.IgnoreReload || o.Has(Unchanging) && !v.Stale) // RFC 8246 section 2
		if o.Age(now) > most && !spared {
			v.Stale, v.Basis = true, ByRequestAge
			return v, true
		}
	}
	if v.Stale && q.Control.Has(MaxStale) && (q.Control.MaxStale < 0 || v.Staleness < int64(q.Control.MaxStale)) {
		v.Stale, v.Basis = false, ByRequestMaxStale
		return v, true
	}
	return v, false
}
