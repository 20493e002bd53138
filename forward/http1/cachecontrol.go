package http1

import (
	"math"
	"strconv"
)

// Directive is a set of Cache-Control directives, one bit each, in the order
// in which 2.6 writes them when it rebuilds the field.
type Directive uint16

// The directives 2.6 knows. Others travel as CacheControl.Other.
const (
	CCPublic Directive = 1 << iota
	CCPrivate
	CCNoCache
	CCNoStore
	CCNoTransform
	CCMustRevalidate
	CCProxyRevalidate
	CCOnlyIfCached
	CCMaxAge
	CCSMaxAge
	CCMaxStale
)

var directiveText = [...]string{
	"public", "private", "no-cache", "no-store", "no-transform", "must-revalidate",
	"proxy-revalidate", "only-if-cached", "max-age", "s-maxage", "max-stale",
}

// CacheControl is a parsed Cache-Control field.
type CacheControl struct {
	// Set holds the directives present.
	Set Directive
	// MaxAge, SMaxAge and MaxStale are in seconds; valid when their bit is set.
	// MaxStale is -1 for a max-stale without value.
	MaxAge, SMaxAge, MaxStale int
	// Other is the first directive that is not known; 2.6 keeps only one.
	Other []byte
}

// Has reports whether any of the directives is present.
func (cc *CacheControl) Has(d Directive) bool { return cc.Set&d != 0 }

// CacheControl reads all Cache-Control fields. Of a repeated directive the
// first counts; an age that is no number makes its directive absent.
func (f *Fields) CacheControl() (cc CacheControl) {
	if !f.Has(CacheControlName) {
		return cc
	}
	for i := range f.list {
		if f.list[i].id != CacheControlName {
			continue
		}
		for list := f.Value(i); ; {
			item, rest := NextItem(list)
			if len(item) == 0 {
				break
			}
			cc.add(item)
			list = rest
		}
	}
	return cc
}

func (cc *CacheControl) add(item []byte) {
	name, value, valued := cutByte(item, '=')
	for i, text := range directiveText {
		if !EqualFold(name, text) {
			continue
		}
		d := Directive(1) << i
		if cc.Has(d) {
			return
		}
		ok := true
		switch d {
		case CCMaxAge:
			cc.MaxAge, ok = seconds(value)
		case CCSMaxAge:
			cc.SMaxAge, ok = seconds(value)
		case CCMaxStale:
			cc.MaxStale = -1
			if valued {
				cc.MaxStale, ok = seconds(value)
			}
		}
		if ok {
			cc.Set |= d
		}
		return
	}
	if cc.Other == nil {
		cc.Other = item
	}
}

// SetMaxAge adds max-age, in seconds.
func (cc *CacheControl) SetMaxAge(seconds int) {
	cc.MaxAge = seconds
	cc.Set |= CCMaxAge
}

// Append appends the field's value: known directives in 2.6's order, then the
// unknown one (fact "Cache-Control directives are re-ordered").
func (cc *CacheControl) Append(dst []byte) []byte {
	start := len(dst)
	for i, text := range directiveText {
		d := Directive(1) << i
		if !cc.Has(d) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, text...)
		switch {
		case d == CCMaxAge:
			dst = strconv.AppendInt(append(dst, '='), int64(cc.MaxAge), 10)
		case d == CCSMaxAge:
			dst = strconv.AppendInt(append(dst, '='), int64(cc.SMaxAge), 10)
		case d == CCMaxStale && cc.MaxStale >= 0:
			dst = strconv.AppendInt(append(dst, '='), int64(cc.MaxStale), 10)
		}
	}
	if len(cc.Other) > 0 {
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, cc.Other...)
	}
	return dst
}

// seconds reads the leading number of an age, no larger than an int32.
func seconds(b []byte) (int, bool) {
	n, ok := 0, false
	negative := len(b) > 1 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	for len(b) > 0 && class[b[0]]&isDigit != 0 {
		n, ok = min(n*10+int(b[0]-'0'), math.MaxInt32), true
		b = b[1:]
	}
	if negative {
		n = -n
	}
	return n, ok
}

func cutByte(b []byte, sep byte) (before, after []byte, found bool) {
	for i, c := range b {
		if c == sep {
			return b[:i], b[i+1:], true
		}
	}
	return b, nil, false
}
