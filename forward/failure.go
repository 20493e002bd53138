package forward

import (
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// failure is why a transaction ends in a page of the proxy's own. The page, the
// log line and the decision to try again all come from this one value.
type failure struct {
	// page is the template's name, as in X-Squid-Error.
	page errpage.Name
	// status is the HTTP status.
	status int
	// errno is the number in X-Squid-Error, the system's reason; 0 for none.
	errno syscall.Errno
	// denied: the log tag is TCP_DENIED.
	denied bool
	// aclName is the ACL looked at last, by which deny_info chooses a page.
	aclName string
	// challenge: the client is asked for credentials; deny_info cannot redirect.
	challenge bool
	// final: trying again cannot help.
	final bool
	// asked: the request may have reached the other side.
	asked bool
	// detail is what DNS or the network said, for the page.
	detail string
	// err is the error underneath, for cache.log; may be nil.
	err error
}

// newFailure makes a failure that is the proxy's or the network's.
func newFailure(page errpage.Name, status int) *failure { return &failure{page: page, status: status} }

// refusal makes a failure that is logged as TCP_DENIED.
func refusal(page errpage.Name, status int) *failure {
	return &failure{page: page, status: status, denied: true}
}

// because adds the error underneath and its number.
func (f *failure) because(err error, errno syscall.Errno) *failure {
	f.err, f.errno = err, errno
	return f
}

// ofFault is the refusal of a request that could not be understood.
func ofFault(fault http1.Fault) *failure {
	switch fault {
	case http1.HeadEndless:
		return refusal(errpage.TooBig, 413)
	case http1.InvalidURL, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming:
		return refusal(errpage.InvalidURL, 400)
	case http1.UnsupportedCoding:
		return refusal(errpage.UnsupportedRequest, 501)
	case http1.UnexpectedBody:
		return refusal(errpage.InvalidRequest, 411)
	}
	return refusal(errpage.InvalidRequest, 400)
}

// finalFailure makes a failure after which no other attempt is made.
func finalFailure(page errpage.Name, status int) *failure {
	return &failure{page: page, status: status, final: true}
}
