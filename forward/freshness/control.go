package freshness

import (
	"math"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Directive is a set of Cache-Control directives, one bit each.
type Directive uint32

// The directives that mean something here, of requests and replies.
const (
	Public Directive = 1 << iota
	Private
	NoCache
	NoStore
	MustRevalidate
	ProxyRevalidate
	OnlyIfCached
	Immutable
	MustUnderstand
	MaxAge
	SMaxAge
	MaxStale
	MinFresh
	StaleWhileRevalidate
	StaleIfError
)

// Control is what the Cache-Control fields of a message say, the directives of
// RFC 5861, RFC 8246 and RFC 9111 included. Numbers are valid when their bit is
// set.
type Control struct {
	Set Directive
	// MaxAge and the others are in seconds. MaxStale is -1 without a value.
	MaxAge, SMaxAge, MaxStale, MinFresh, StaleWhileRevalidate, StaleIfError int32
}

// Has reports whether any of the directives is present.
func (c *Control) Has(d Directive) bool { return c.Set&d != 0 }

var directives = [...]struct {
	name string
	bit  Directive
}{
	{"max-age", MaxAge}, {"no-cache", NoCache}, {"private", Private}, {"public", Public}, {"no-store", NoStore},
	{"must-revalidate", MustRevalidate}, {"proxy-revalidate", ProxyRevalidate}, {"s-maxage", SMaxAge},
	{"only-if-cached", OnlyIfCached}, {"max-stale", MaxStale}, {"min-fresh", MinFresh}, {"immutable", Immutable},
	{"stale-while-revalidate", StaleWhileRevalidate}, {"stale-if-error", StaleIfError}, {"must-understand", MustUnderstand},
}

// ReadControl reads the Cache-Control fields of a message. Of a repeated
// directive the first counts, and a number that is none makes its directive
// absent, as in 2.6.
func ReadControl(f *http1.Fields) (c Control) {
	if !f.Has(http1.CacheControlName) {
		return c
	}
	for i := range f.Len() {
		if f.ID(i) == http1.CacheControlName {
			c.read(f.Value(i))
		}
	}
	return c
}

func (c *Control) read(list []byte) {
	for {
		item, rest := http1.NextItem(list)
		if len(item) == 0 {
			return
		}
		c.add(item)
		list = rest
	}
}

func (c *Control) add(item []byte) {
	name, value := item, []byte(nil)
	for i, b := range item {
		if b == '=' {
			name, value = item[:i], item[i+1:]
			break
		}
	}
	for i := range directives {
		d := &directives[i]
		if !http1.EqualFold(name, d.name) {
			continue
		}
		if !c.Has(d.bit) && c.setNumber(d.bit, value) {
			c.Set |= d.bit
		}
		return
	}
}

// setNumber sets the number of a directive that has one; it reports whether the
// directive counts.
func (c *Control) setNumber(bit Directive, value []byte) (ok bool) {
	var into *int32
	switch bit {
	case MaxAge:
		into = &c.MaxAge
	case SMaxAge:
		into = &c.SMaxAge
	case MinFresh:
		into = &c.MinFresh
	case StaleWhileRevalidate:
		into = &c.StaleWhileRevalidate
	case StaleIfError:
		into = &c.StaleIfError
	case MaxStale:
		if into = &c.MaxStale; value == nil {
			*into = -1
			return true
		}
	default:
		return true
	}
	*into, ok = deltaSeconds(value)
	return ok
}

// deltaSeconds reads a number of seconds (RFC 9111 section 1.2.2), quoted or not,
// at most what an int32 holds. What follows the digits is not looked at.
func deltaSeconds(b []byte) (n int32, ok bool) {
	if len(b) > 0 && b[0] == '"' {
		b = b[1:]
	}
	v := int64(0)
	for len(b) > 0 && '0' <= b[0] && b[0] <= '9' {
		v, ok = min(v*10+int64(b[0]-'0'), math.MaxInt32), true
		b = b[1:]
	}
	return int32(v), ok
}
