// Package failure says why a request ends in a page of the proxy's own: whose
// fault it is, whether another attempt may help, and what the client is shown.
// The page, the log line, the line in cache.log and the decision to try again all
// come from this one value.
//
// The constructors name what happened; page and status of each are Squid 2.6's, as
// recorded.
package failure

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
)

// Side is whose fault it is.
type Side uint8

const (
	// Us is this proxy: its configuration, its rules, its system.
	Us Side = iota
	// Client is who asked: badly, for what it may not have, or without staying.
	Client
	// NextHop is the origin or peer, or the way there.
	NextHop
)

// String is the word for cache.log.
func (s Side) String() string { return [...]string{"proxy", "client", "next hop"}[s] }

// Repeat says whether another attempt may be made after the failure.
type Repeat uint8

const (
	// Never: it would fail again, or there is nobody to make it for.
	Never Repeat = iota
	// Safely: the request has not reached the other side.
	Safely
	// IfRepeatable: it may have, so only methods that do no harm twice are sent
	// again.
	IfRepeatable
)

// Failure is one of them.
type Failure struct {
	Side   Side
	Repeat Repeat
	// Kept: the connection was a kept one, and another kept one may fail in the same way.
	Kept bool
	// Page is the template's name, as in X-Squid-Error; Status the HTTP status.
	Page   errpage.Name
	Status int
	// Errno is the number in X-Squid-Error, the system's reason; 0 for none.
	Errno syscall.Errno
	// Denied: the log tag is TCP_DENIED.
	Denied bool
	// ACL is the one looked at last, by which deny_info chooses a page.
	ACL string
	// Challenge: the client is asked for credentials; deny_info cannot redirect.
	Challenge bool
	// Detail is what DNS said, for the page.
	Detail string
	// Err is the error underneath, nil when there is none.
	Err error
}

// Error is the failure in words, for cache.log.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, status %d, fault of the %s", f.Page, f.Status, f.Side)
	if f.ACL != "" {
		fmt.Fprintf(&b, ", acl %s", f.ACL)
	}
	if f.Err != nil {
		fmt.Fprintf(&b, ": %v", f.Err)
	}
	return b.String()
}

// Unwrap is the error underneath.
func (f *Failure) Unwrap() error { return f.Err }

// refused is a failure of the client's side that is logged as TCP_DENIED.
func refused(page errpage.Name, status int) *Failure {
	return &Failure{Side: Client, Page: page, Status: status, Denied: true}
}
