package forward

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// sayOdd tells cache.log what is wrong with a request, in 2.6's words, which those who
// watch the log know.
func (x *transaction) sayOdd() {
	say := &x.cl.srv.say
	if x.req.Odd() {
		say.Odd(&x.req.Fields, x.p.cfg.RelaxedHeaderParser == conf.Warn)
	}
	switch x.fault {
	case http1.NoFault, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming, http1.UnsupportedCoding, http1.UnexpectedBody:
		return
	case http1.UnsupportedMethod:
		method, _, _ := bytes.Cut(x.in[:x.head], []byte{' '})
		method, _, _ = bytes.Cut(method, []byte{'\r'})
		say.Client.Traffic("parseHttpRequest: Unsupported method '%.64s'", method)
	case http1.InvalidURL:
		switch fault := http1.WhyInvalid(x.target, &x.p.url); fault {
		case http1.URLTooLong:
			say.URL.Traffic("urlParse: URL too large (%d bytes)", len(x.target))
		case http1.BadHost:
			say.URL.Traffic("urlParse: Illegal character in hostname '%.256s'", http1.HostOf(x.target))
		}
	}
	say.Client.Traffic("clientReadRequest: client %s Invalid Request", x.cl.remote)
}

// sayDecided tells which ACL decided about the request or its reply, as operators ask
// for it with debug_options 33,2.
func (x *transaction) sayDecided(what string, a acl.Answer) {
	say := x.cl.srv.say.Client
	if !say.On(2) {
		return
	}
	if what != "request" {
		what += " for"
	}
	verdict, last := "DENIED", a.Last
	if a.Allowed() {
		verdict = "ALLOWED"
	}
	if last == "" {
		last = "NO ACL's"
	}
	say.Say(2, "The %s %s %s is %s, because it matched '%s'", what, x.req.MethodText, x.canonicalURL, verdict, last)
}
