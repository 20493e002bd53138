package forward

import (
	"unsafe"

	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// view is b as a string without a copy. The bytes belong to the transaction
// and outlive every use of the string.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fillFacts gathers what access lists look at once the URL is known.
func (x *transaction) fillFacts() {
	x.facts = acl.Facts{
		Client:      x.cl.remote.Addr(),
		Local:       x.cl.local,
		Method:      x.req.Method,
		URL:         &x.url,
		Request:     &x.req.Fields,
		URLGroup:    x.port.URLGroup,
		Accelerated: x.accel,
		Internal:    x.internal,
		Transparent: x.rebuilt && !x.accel,
		Conn:        x.cl,
	}
}

// hasRequest tells whether the request was understood so far that access lists
// were asked about it.
func (x *transaction) hasRequest() bool { return x.facts.URL != nil }
