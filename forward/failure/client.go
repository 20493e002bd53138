package failure

import (
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// OfFault is a request that could not be understood.
func OfFault(fault http1.Fault) *Failure {
	switch fault {
	case http1.HeadEndless:
		return refused(errpage.TooBig, 413)
	case http1.InvalidURL, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming:
		return refused(errpage.InvalidURL, 400)
	case http1.UnsupportedCoding:
		return refused(errpage.UnsupportedRequest, 501)
	case http1.UnexpectedBody:
		return refused(errpage.InvalidRequest, 411)
	}
	return refused(errpage.InvalidRequest, 400)
}

// MethodUnserved is a method that the URL's scheme does not know.
func MethodUnserved() *Failure { return refused(errpage.UnsupportedRequest, 501) }

// BodyTooLarge is a request body above its bound.
func BodyTooLarge() *Failure { return refused(errpage.TooBig, 413) }

// BodyInvalid is a request body whose chunks are malformed.
func BodyInvalid() *Failure { return refused(errpage.InvalidRequest, 400) }

// BodyCut is a request body that ended early, with its client.
func BodyCut() *Failure {
	return &Failure{Side: Client, Page: errpage.ReadError, Status: 400}
}

// ClientLeft is a client that took no more of what it was sent.
func ClientLeft() *Failure {
	return &Failure{Side: Client, Page: errpage.WriteError, Status: 502}
}

// AccessDenied is an access list that said no; acl is the ACL it looked at last.
func AccessDenied(acl string) *Failure {
	f := refused(errpage.AccessDenied, 403)
	f.ACL = acl
	return f
}

// CredentialsNeeded asks for credentials: an accelerator as an origin does, a proxy
// as a proxy.
func CredentialsNeeded(acl string, accelerated bool) *Failure {
	f := refused(errpage.CacheAccessDenied, 407)
	if accelerated {
		f.Status = 401
	}
	f.ACL, f.Challenge = acl, true
	return f
}

// HostForged is an intercepted request for a name that does not belong to the
// address it was sent to; err says what DNS knew.
func HostForged(err error) *Failure {
	f := refused(errpage.AccessDenied, 409)
	f.Err = err
	return f
}

// Loop is a request that has passed here before.
func Loop() *Failure { return refused(errpage.CannotForward, 504) }

// ReplyUnwanted is a reply above reply_body_max_size.
func ReplyUnwanted() *Failure { return refused(errpage.TooBig, 403) }
