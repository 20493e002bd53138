package freshness

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// surrogateField tells surrogates, accelerators that speak for the origin, what to keep
// (Edge Architecture Specification 1.0, section 2.3).
const surrogateField = "Surrogate-Control"

// readSurrogate reads what a reply tells a surrogate of the name r.Surrogate: what is
// targeted at the name comes before what is for all, what is targeted at others does
// not count. heard is false when nothing is said about keeping.
func (r *Rules) readSurrogate(f *http1.Fields) (c Control, heard bool) {
	var own, all Control
	for i := range f.Len() {
		if f.ID(i) != http1.Other || !http1.EqualFold(f.Key(i), surrogateField) {
			continue
		}
		for list := f.Value(i); ; {
			item, rest := http1.NextItem(list)
			if len(item) == 0 {
				break
			}
			list = rest
			directive, target, targeted := bytes.Cut(item, []byte(";"))
			switch {
			case !targeted:
				r.addSurrogate(&all, directive)
			case string(bytes.TrimSpace(target)) == r.Surrogate:
				r.addSurrogate(&own, directive)
			}
		}
	}
	if own.Set != 0 {
		return own, true
	}
	return all, all.Set != 0
}

// addSurrogate adds one directive; others than these say nothing about keeping.
func (r *Rules) addSurrogate(c *Control, directive []byte) {
	name, value, _ := bytes.Cut(directive, []byte("="))
	name, value = bytes.TrimSpace(name), bytes.TrimSpace(value)
	switch {
	case http1.EqualFold(name, "no-store"), r.SurrogateRemote && http1.EqualFold(name, "no-store-remote"):
		c.Set |= NoStore
	case http1.EqualFold(name, "max-age") && !c.Has(MaxAge):
		fresh, extension, extended := bytes.Cut(value, []byte("+"))
		n, ok := deltaSeconds(fresh)
		if !ok {
			return
		}
		c.Set |= MaxAge
		c.MaxAge = n
		if n, ok = deltaSeconds(extension); extended && ok { // it may be stale for so long, while the origin is asked and where it cannot be
			c.Set |= StaleWhileRevalidate | StaleIfError
			c.StaleWhileRevalidate, c.StaleIfError = n, n
		}
	}
}
