package freshness

import (
	"bytes"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// None is a time that is not known.
const None = -1

// Flags are facts of a stored reply, one bit each.
type Flags uint16

// The flags of an Object.
const (
	// Negative marks an error kept by negative_ttl.
	Negative Flags = 1 << iota
	// NeverStale is must-revalidate, proxy-revalidate or s-maxage: no stale answer
	// whatever happens.
	NeverStale
	// Unchanging is immutable: a reload of a fresh object need not ask (RFC 8246).
	Unchanging
	// Tagged says that there is an entity tag to ask with.
	Tagged
	// Varies says that the reply has a Vary field.
	Varies
	// AskedAlways is no-cache: the origin is asked before each use.
	AskedAlways
)

// Object is what the rules need to know of a stored reply, without pointers: a
// store keeps it beside the bytes.
type Object struct {
	// Timestamp is when the reply was made, corrected by Age and by our clock: its
	// age at a time t is t - Timestamp.
	Timestamp int64
	// Expires and LastModified are None when the origin did not say.
	Expires, LastModified int64
	// Length is Content-Length, -1 without one.
	Length int64
	// StaleWhileRevalidate and StaleIfError are seconds behind the end of freshness,
	// -1 when the origin said nothing.
	StaleWhileRevalidate, StaleIfError int32
	Status                             int16
	Flags                              Flags
}

// Has reports whether any of the flags is set.
func (o *Object) Has(f Flags) bool { return o.Flags&f != 0 }

// Age is the age at a time in seconds, never below 0 (RFC 9111 section 4.2.3).
func (o *Object) Age(now int64) int64 { return max(0, now-o.Timestamp) }

// Times say when a reply was asked for and when its head was there.
type Times struct{ Requested, Received int64 }

// Describe reads the head of a reply as it came from the origin.
func (r *Rules) Describe(rep *http1.Reply, at Times) Object {
	return r.describe(rep, ReadControl(&rep.Fields), false, fieldTime(&rep.Fields, http1.Date), at)
}

// Restored describes a stored reply by its head and by the times and the Negative mark
// a store kept of its description; they may be newer than the head.
func (r *Rules) Restored(head *http1.Reply, timestamp, expires, lastModified int64, negative, accelerated bool) Object {
	cc, targeted := r.readReply(&head.Fields, accelerated)
	o := r.describe(head, cc, targeted, None, Times{})
	o.Timestamp, o.Expires, o.LastModified = timestamp, expires, lastModified
	if negative {
		o.Flags |= Negative
	}
	return o
}

// Renew describes a stored reply after a 304: head is the stored head merged with that
// of the 304 (Merge), dated says whether the 304 had a Date. Status and length are
// those of the stored one.
func (r *Rules) Renew(old *Object, head *http1.Reply, dated, accelerated bool, at Times) Object {
	date := at.Received
	if dated {
		date = fieldTime(&head.Fields, http1.Date)
	}
	cc, targeted := r.readReply(&head.Fields, accelerated)
	o := r.describe(head, cc, targeted, date, at)
	o.Status, o.Length = old.Status, old.Length
	return o
}

func (r *Rules) describe(rep *http1.Reply, cc Control, targeted bool, date int64, at Times) Object {
	o := Object{
		Status:       int16(rep.Status),
		LastModified: fieldTime(&rep.Fields, http1.LastModified),
		Length:       rep.ContentLength(),
	}
	o.Timestamp = at.Received
	if date != None && date < at.Received {
		o.Timestamp = date
	}
	if age, _ := http1.NextItem(rep.Get(http1.Age)); age != nil {
		// The clock of a cache in between may be behind ours (RFC 9111 section 4.2.3).
		if len(bytes.Trim(age, "0123456789")) == 0 { // too large a number is the largest there is (section 1.2.2)
			seconds, _ := deltaSeconds(age)
			n := int64(seconds)
			o.Timestamp = min(o.Timestamp, at.Received-n-max(0, at.Received-at.Requested))
		}
	}
	o.Expires = r.expires(rep, cc, targeted, date, o.Timestamp, at.Received)
	o.StaleWhileRevalidate, o.StaleIfError = -1, -1
	if cc.Has(StaleWhileRevalidate) {
		o.StaleWhileRevalidate = cc.StaleWhileRevalidate
	}
	if cc.Has(StaleIfError) {
		o.StaleIfError = cc.StaleIfError
	}
	if cc.Has(MustRevalidate | ProxyRevalidate | SMaxAge) {
		o.Flags |= NeverStale
	}
	if cc.Has(Immutable) {
		o.Flags |= Unchanging
	}
	if cc.Has(NoCache) {
		o.Flags |= AskedAlways
	}
	if rep.Has(http1.ETag) {
		o.Flags |= Tagged
	}
	if rep.Has(http1.Vary) {
		o.Flags |= Varies
	}
	return o
}

// expires is when freshness given by the origin ends: s-maxage, max-age, Expires,
// in this order. They count from Date; 2.6 takes an age without a Date to be used
// up, and an Expires that is no date to be now.
func (r *Rules) expires(rep *http1.Reply, cc Control, targeted bool, date, timestamp, received int64) int64 {
	lifetime := int64(cc.MaxAge)
	if cc.Has(SMaxAge) {
		lifetime = int64(cc.SMaxAge)
	}
	switch {
	case cc.Has(SMaxAge|MaxAge) && date == None:
		return received
	case cc.Has(SMaxAge | MaxAge):
		return timestamp + lifetime
	case targeted || !rep.Has(http1.Expires):
		return None
	}
	expires := strictTime(&rep.Fields, http1.Expires)
	switch {
	case r.VaryIgnoreExpire && rep.Has(http1.Vary) && expires == date:
		return None
	case expires == None:
		return received
	case date == None:
		return expires
	}
	return timestamp + expires - date
}

// strictTime is fieldTime for a field whose form counts: what is no HTTP date, or given
// twice, is a time in the past for the caller (RFC 9111 section 5.3).
func strictTime(f *http1.Fields, id http1.Name) int64 {
	value := f.Get(id)
	if f.Count(id) != 1 {
		return None
	}
	if len(value) != http1.DateLen || value[3] != ',' || value[7] != ' ' {
		_, rfc850 := time.Parse("Monday, 02-Jan-06 15:04:05 GMT", string(value))
		_, asctime := time.Parse("Mon Jan _2 15:04:05 2006", string(value))
		if rfc850 != nil && asctime != nil {
			return None
		}
	}
	return fieldTime(f, id)
}

// fieldTime is the time a field names, None for none.
func fieldTime(f *http1.Fields, id http1.Name) int64 {
	value := f.Get(id)
	if value == nil {
		return None
	}
	t, ok := http1.ParseDate(value)
	if !ok || t.Unix() < 0 {
		return None
	}
	return t.Unix()
}
