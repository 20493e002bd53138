package failure

import (
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

func ours(page errpage.Name, status int) *Failure {
	return &Failure{Side: Us, Page: page, Status: status}
}

// OnlyIfCached is a request that may only be answered from the cache.
func OnlyIfCached() *Failure { return ours(errpage.OnlyIfCachedMiss, 504) }

// MissDenied is miss_access that said no; acl is the ACL it looked at last.
func MissDenied(acl string) *Failure {
	f := ours(errpage.ForwardingDenied, 403)
	f.ACL = acl
	return f
}

// NoHop is a request there is nobody to send to; errno is the number 2.6 shows.
func NoHop(errno syscall.Errno) *Failure {
	f := ours(errpage.CannotForward, 503)
	f.Errno = errno
	return f
}

// RewriterGone is a url_rewrite_program that cannot be asked: what it would have blocked
// must not pass.
func RewriterGone() *Failure { return ours(errpage.CannotForward, 503) }

// ShuttingDown is a request that came when the proxy was about to end.
func ShuttingDown() *Failure { return ours(errpage.ShuttingDown, 503) }

// NoURN, NoObject and NoAction are URLs that name nothing: a URN without resolver,
// none of the proxy's own objects, no action of the cache manager.
func NoURN() *Failure { return ours(errpage.URNResolve, 404) }

// NoObject is described with NoURN.
func NoObject() *Failure { return ours(errpage.InvalidRequest, 404) }

// NoAction is described with NoURN.
func NoAction() *Failure { return ours(errpage.InvalidURL, 404) }

// NoFTP is an ftp URL that no peer takes.
func NoFTP() *Failure { return ours(errpage.FTPDisabled, 503) }

// SchemeUnserved is a URL of another scheme that no peer takes.
func SchemeUnserved() *Failure { return ours(errpage.UnsupportedRequest, 501) }

// NoSocket is a connection that could not even be tried: there is no socket, or
// none with the address of tcp_outgoing_address.
func NoSocket(err error) *Failure {
	f := ours(errpage.SocketFailure, 500)
	f.Err, f.Errno = err, sock.Errno(err)
	return f
}

// LifetimeOver is client_lifetime, which bounds every transfer.
func LifetimeOver() *Failure { return ours(errpage.LifetimeExpired, 504) }
