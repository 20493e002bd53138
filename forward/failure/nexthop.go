package failure

import (
	"context"
	"errors"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Unresolved is a host name without address; another hop may have one.
func Unresolved(err error) *Failure {
	f := &Failure{Side: NextHop, Repeat: Safely, Page: errpage.DNSFail, Status: 503, Err: err}
	if de := (*dns.Error)(nil); errors.As(err, &de) {
		f.Detail = de.Kind.String()
	}
	return f
}

// Unreachable is a connection that was not made. A timeout is the status 504, but
// for a tunnel.
func Unreachable(err error, tunnel bool) *Failure {
	f := &Failure{Side: NextHop, Repeat: Safely, Page: errpage.ConnectFail, Status: 503, Err: err}
	if de := (*origin.DialError)(nil); errors.As(err, &de) {
		f.Errno = de.Errno
		if de.Timeout && !tunnel {
			f.Status = 504
		}
	} else if errors.Is(err, context.Canceled) {
		f.Repeat = Never
	}
	return f
}

// NoReply is a connection that ended without a byte of an answer.
func NoReply() *Failure {
	return &Failure{Side: NextHop, Repeat: IfRepeatable, Page: errpage.ZeroSizeObject, Status: 502, Err: io.EOF}
}

// NotTheReply is the rest of an earlier answer on a kept connection.
func NotTheReply() *Failure {
	f := InvalidReply()
	f.Repeat, f.Kept = IfRepeatable, true
	return f
}

// InvalidReply is an answer whose head cannot be understood, or that nobody asked
// for.
func InvalidReply() *Failure {
	return &Failure{Side: NextHop, Page: errpage.InvalidReply, Status: 502}
}

// ReplyHeadTooLarge is one above reply_header_max_size.
func ReplyHeadTooLarge() *Failure {
	return &Failure{Side: NextHop, Page: errpage.TooBig, Status: 502}
}

// Silent is an origin that said nothing for read_timeout.
func Silent() *Failure {
	return &Failure{Side: NextHop, Repeat: IfRepeatable, Page: errpage.ReadTimeout, Status: 504, Err: sock.ErrTimeout}
}

// Broken is a connection that failed before the answer was there.
func Broken(err error) *Failure {
	return &Failure{Side: NextHop, Repeat: IfRepeatable, Page: errpage.ReadError, Status: 502, Err: err, Errno: sock.Errno(err)}
}

// GivenUp is an exchange that the proxy itself ended, for nobody waits for it.
func GivenUp() *Failure {
	return &Failure{Side: Client, Page: errpage.ReadError, Status: 502, Err: sock.ErrAborted}
}
