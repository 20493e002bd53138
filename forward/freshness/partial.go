package freshness

import (
	"bytes"
	"slices"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// ReadPart reads which bytes of how many a 206 carries, from its Content-Range. ok is
// false without one, for an unknown size, for several parts in one body, and where
// Content-Length says something else.
func ReadPart(rep *http1.Reply) (part Span, size int64, ok bool) {
	value := rep.Get(http1.ContentRange)
	const unit = "bytes "
	if rep.Status != 206 || rep.Count(http1.ContentRange) != 1 || len(value) < len(unit) || !http1.EqualFold(value[:len(unit)], unit) {
		return Span{}, 0, false
	}
	span, total, found := bytes.Cut(value[len(unit):], []byte("/"))
	from, last, dashed := bytes.Cut(span, []byte("-"))
	a, ok1 := http1.ParseLength(from)
	b, ok2 := http1.ParseLength(last)
	size, ok3 := http1.ParseLength(total)
	if !found || !dashed || !ok1 || !ok2 || !ok3 || b < a || b >= size {
		return Span{}, 0, false
	}
	part = Span{a, b + 1}
	if n := rep.ContentLength(); n >= 0 && n != part.Len() {
		return Span{}, 0, false
	}
	const several = "multipart/byteranges"
	if kind := rep.Get(http1.ContentType); len(kind) >= len(several) && http1.EqualFold(kind[:len(several)], several) {
		return Span{}, 0, false // each part in it has its own Content-Range (RFC 9110 section 14.6)
	}
	return part, size, true
}

// WholePart is the length of the body all of which a 206 carries: it can be stored as a
// 200 (RFC 9111 section 3.4).
func WholePart(rep *http1.Reply) (length int64, ok bool) {
	if rep.Status != 206 {
		return 0, false
	}
	part, size, ok := ReadPart(rep)
	return size, ok && part == Span{0, size}
}

// SameBody reports whether two replies carry parts of one body: the same strong entity
// tag (RFC 9111 section 3.4). Dates are not taken for it, as two parts may come from
// either side of a change within a second.
func SameBody(a, b *http1.Fields) bool {
	tag := a.Get(http1.ETag)
	return strongTag(tag) && bytes.Equal(tag, b.Get(http1.ETag))
}

// mostParts bounds how many pieces with gaps between them are kept of a body.
const mostParts = 256

// Parts are the pieces of a body that are there, ascending and apart.
type Parts []Span

// Join adds a piece. ok is false when there would be too many, and nothing is added.
func (p Parts) Join(s Span) (joined Parts, ok bool) {
	if s.From >= s.To {
		return p, true
	}
	i := 0
	for i < len(p) && p[i].To < s.From {
		i++
	}
	j := i
	for j < len(p) && p[j].From <= s.To {
		s = Span{min(s.From, p[j].From), max(s.To, p[j].To)}
		j++
	}
	if i == j && len(p) >= mostParts {
		return p, false
	}
	return slices.Replace(p, i, j, s), true
}

// Has reports whether all of a piece is there.
func (p Parts) Has(s Span) bool { return len(p.Missing(s)) == 0 }

// Missing is what is not there of a piece.
func (p Parts) Missing(s Span) (missing []Span) {
	for _, have := range p {
		if have.To <= s.From || have.From >= s.To {
			continue
		}
		if s.From < have.From {
			missing = append(missing, Span{s.From, have.From})
		}
		s.From = min(have.To, s.To)
	}
	if s.From < s.To {
		missing = append(missing, s)
	}
	return missing
}

// Whole reports whether the pieces make up a body of size bytes.
func (p Parts) Whole(size int64) bool {
	return size == 0 || len(p) == 1 && p[0].From == 0 && p[0].To >= size
}
