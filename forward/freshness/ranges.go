package freshness

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Span is a part of a body: its bytes From up to but not including To.
type Span struct{ From, To int64 }

// Len is the number of bytes.
func (s Span) Len() int64 { return s.To - s.From }

// Total is the number of bytes of all of them.
func Total(spans []Span) (n int64) {
	for _, s := range spans {
		n += s.Len()
	}
	return n
}

// mostSpans bounds how many parts a request gets: more are answered with the whole
// (RFC 9110 section 14.2 allows it, section 17.15 says why).
const mostSpans = 64

// RangeSpec is one member of a Range field: From to Last inclusive; Last -1 is the
// end of the body, From -1 its Last last bytes.
type RangeSpec struct{ From, Last int64 }

// ParseRange reads a Range field into dst. ok is false for what is to be ignored:
// another unit, bad syntax, too many parts.
func ParseRange(dst []RangeSpec, value []byte) (specs []RangeSpec, ok bool) {
	const unit = "bytes="
	if len(value) < len(unit) || !http1.EqualFold(value[:len(unit)], unit) {
		return dst, false
	}
	specs = dst
	for list := value[len(unit):]; ; {
		item, rest := http1.NextItem(list)
		if len(item) == 0 {
			return specs, len(specs) > len(dst)
		}
		from, last, found := bytes.Cut(item, []byte("-"))
		spec := RangeSpec{-1, -1}
		if !found || len(from) == 0 && len(last) == 0 || len(specs)-len(dst) == mostSpans {
			return dst, false
		}
		if len(from) > 0 {
			if spec.From, ok = http1.ParseLength(from); !ok {
				return dst, false
			}
		}
		if len(last) > 0 {
			if spec.Last, ok = http1.ParseLength(last); !ok || spec.Last < spec.From {
				return dst, false
			}
		}
		specs, list = append(specs, spec), rest
	}
}

// disordered reports whether a Range asks for parts that overlap or go backwards, as
// far as can be told without the size: 2.6 does not answer that from the store.
func disordered(value []byte) bool {
	var room [8]RangeSpec
	specs, ok := ParseRange(room[:0], value)
	if !ok {
		return false
	}
	for i := 1; i < len(specs); i++ {
		before, s := specs[i-1], specs[i]
		if s.From >= 0 && before.From >= 0 && (before.Last < 0 || s.From <= before.Last) {
			return true
		}
	}
	return false
}

// Spans appends the parts of a body of size bytes that specs ask for; those beyond
// the end are left out. ordered is false when parts overlap or go backwards: such a
// request gets the whole.
func Spans(dst []Span, specs []RangeSpec, size int64) (spans []Span, ordered bool) {
	spans, ordered = dst, true
	for _, s := range specs {
		span := Span{s.From, size}
		switch {
		case s.From < 0:
			span.From = max(0, size-s.Last)
		case s.Last >= 0:
			span.To = min(size, s.Last+1)
		}
		if span.From >= span.To {
			continue
		}
		if n := len(spans); n > len(dst) && span.From < spans[n-1].To {
			ordered = false
		}
		spans = append(spans, span)
	}
	return spans, ordered
}

// FetchesWhole reports whether a miss with these ranges is fetched without them, so that
// it can be stored: range_offset_limit, by the place where the first part begins.
func (r *Rules) FetchesWhole(specs []RangeSpec) bool {
	switch {
	case r.RangeOffsetLimit < 0:
		return true
	case r.RangeOffsetLimit == 0 || len(specs) == 0:
		return false
	}
	return beginning(specs) <= r.RangeOffsetLimit
}

// Ahead reports whether these ranges begin beyond range_offset_limit, and beyond what has
// come of an object on its way: 2.6 does not have the client wait for that.
func (r *Rules) Ahead(specs []RangeSpec, came int64) bool {
	return len(specs) > 0 && r.RangeOffsetLimit >= 0 && beginning(specs) > max(r.RangeOffsetLimit, came)
}

// beginning is the place where the first of some parts begins: -1, where the last bytes
// begin, is not known and counts as the start.
func beginning(specs []RangeSpec) int64 {
	first := specs[0].From
	for _, s := range specs {
		first = min(first, s.From)
	}
	return first
}
