package forward

import (
	"bytes"
	"strconv"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// understand turns the head into a URL, a way of framing the body and the
// facts access lists look at.
func (x *transaction) understand() *failure {
	x.bare = x.fault == http1.NoFault && x.req.Major < 1
	x.facts.Method = x.req.Method // all that lists see of a refused request
	switch x.fault {
	case http1.NoFault, http1.InvalidURL, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming:
	default:
		return ofFault(x.fault) // nothing to be learned from the rest
	}
	if x.fault == http1.NoFault && x.client11() && !x.req.Has(http1.Host) && !x.cl.intercepted {
		// RFC 9112 section 3.2; who is intercepted did not ask us, and said by
		// dialling where it wants to go.
		x.fault = http1.InvalidRequest
		return ofFault(x.fault)
	}
	if fault := x.target(); fault != http1.NoFault {
		x.fault, x.bare = fault, false // 2.6 answers a request it makes no URL of as one of HTTP/1.0
		return ofFault(fault)
	}
	if x.fault != http1.NoFault {
		return ofFault(x.fault)
	}
	if fault := x.url.Parse(x.req.Method, x.asked, &x.p.url); fault != http1.NoFault {
		x.fault = fault
		return ofFault(fault)
	}
	x.hasURL = true
	x.internal = x.isOwn()
	x.logURL = x.url.AppendLogged(x.logURL[:0], x.p.cfg.StripQueryTerms)
	x.text = x.url.AppendCanonical(x.text[:0])
	if !x.url.Scheme.Serves(x.req.Method) {
		return refusal(errpage.UnsupportedRequest, 501)
	}
	options := x.p.request
	options.HTTP11 = x.port.HTTP11
	var fault http1.Fault
	if x.body, fault = x.req.Body(&options); fault != http1.NoFault {
		x.fault = fault
		return ofFault(fault)
	}
	if x.req.Method == http1.CONNECT {
		x.body = http1.Body{} // what follows is the tunnel's
	}
	x.keep = x.req.Persistent(x.req.Major, x.req.Minor, x.port.HTTP11)
	if limit := x.p.cfg.RequestBodyMaxSize; limit > 0 && x.body.Length > limit {
		x.fillFacts()
		x.client = x.cl.remote.Addr()
		return refusal(errpage.TooBig, 413)
	}
	return nil
}

// target decides what URL was asked for. A proxy request names it whole; on
// transparent and accelerator ports it is put together from Host and the port's
// options (FACTS "Intercepting and accelerating ports").
func (x *transaction) target() http1.Fault {
	t := x.req.Target
	originForm := len(t) > 0 && t[0] == '/'
	x.asked = append(x.asked[:0], t...)
	switch {
	case x.req.Method == http1.CONNECT:
		if x.req.Major < 1 || x.port.Accel {
			return http1.InvalidRequest
		}
		return http1.NoFault
	case originForm && x.asksOwn(false):
		return http1.NoFault
	case originForm && x.port.Transparent:
		return x.interceptedTarget()
	case originForm || x.port.Accel:
		return x.accelTarget(originForm)
	}
	return http1.NoFault
}

// interceptedTarget takes the host from Host, or from where the client meant to
// connect to when it sent none.
func (x *transaction) interceptedTarget() http1.Fault {
	host, port := splitPort(x.req.Get(http1.Host))
	if len(host) == 0 && !x.req.Has(http1.Host) {
		if !x.cl.intercepted {
			return x.ownOrInvalid()
		}
		var text [64]byte
		dst := x.cl.meant
		return x.assemble(dst.Addr().AppendTo(text[:0]), int(dst.Port()), x.req.Target)
	}
	return x.assemble(host, port, x.req.Target)
}

// accelTarget applies vhost, defaultsite and vport, in that order.
func (x *transaction) accelTarget(originForm bool) http1.Fault {
	port := x.port
	path := x.req.Target
	// A port whose address was given by name has that for a site, accel or not.
	if !port.Accel && port.DefaultSite == "" {
		return x.ownOrInvalid()
	}
	if !originForm {
		// An absolute URI keeps its host only with vhost.
		if port.VHost || bytes.HasPrefix(path, []byte("cache_object://")) {
			x.accel = true
			return http1.NoFault
		}
		_, rest, ok := bytes.Cut(path, []byte("//"))
		if !ok {
			return http1.InvalidRequest
		}
		path = []byte("/")
		if slash := bytes.IndexByte(rest, '/'); slash >= 0 {
			path = rest[slash:]
		}
	}
	vport := port.VPort
	if vport == conf.VPortLocal {
		vport = int(x.cl.local.Port())
	}
	switch host, given := splitPort(x.req.Get(http1.Host)); {
	case port.VHost && x.req.Has(http1.Host):
		// vhost alone drops the port of Host; vport keeps it or puts in its own.
		if vport == 0 {
			given = 0
		} else if given == 0 {
			given = vport
		}
		return x.assemble(host, given, path)
	case port.DefaultSite != "":
		site, given := splitPort([]byte(port.DefaultSite))
		return x.assemble(site, given, path)
	case vport != 0:
		var text [64]byte
		return x.assemble(x.cl.local.Addr().AppendTo(text[:0]), vport, path)
	}
	return x.ownOrInvalid()
}

// ownOrInvalid is the last resort for an origin-form request.
func (x *transaction) ownOrInvalid() http1.Fault {
	if x.asksOwn(true) {
		return http1.NoFault
	}
	return http1.InvalidRequest
}

// assemble writes scheme://host[:port]path into x.asked.
func (x *transaction) assemble(host []byte, port int, path []byte) http1.Fault {
	x.rebuilt, x.accel = true, !x.port.Transparent
	scheme := x.port.Protocol
	if scheme == "" {
		scheme = "http"
	}
	x.asked = append(x.asked[:0], scheme...)
	x.asked = append(x.asked, "://"...)
	if len(host) > 0 && host[0] != '[' && bytes.IndexByte(host, ':') >= 0 {
		x.asked = append(append(append(x.asked, '['), host...), ']') // an IPv6 address of ours
	} else {
		x.asked = append(x.asked, host...)
	}
	if port != 0 {
		x.asked = append(x.asked, ':')
		x.asked = strconv.AppendInt(x.asked, int64(port), 10)
	}
	x.asked = append(x.asked, path...)
	return http1.NoFault
}

// splitPort takes "host:port" or "[address]:port" apart; port is 0 when there is
// none or no number.
func splitPort(host []byte) (name []byte, port int) {
	begin := 0
	if len(host) > 0 && host[0] == '[' {
		begin = bytes.IndexByte(host, ']') + 1
	}
	colon := bytes.IndexByte(host[begin:], ':')
	if colon < 0 {
		return host, 0
	}
	name, text := host[:begin+colon], host[begin+colon+1:]
	for _, c := range text {
		if c < '0' || c > '9' || port > 65535 {
			break
		}
		port = port*10 + int(c-'0')
	}
	return name, port
}

// lastHop reports whether a TRACE is to be answered here (Max-Forwards: 0).
func (x *transaction) lastHop() bool {
	v := x.req.Get(http1.MaxForwards)
	return v != nil && hops(v) == 0
}

// hops reads Max-Forwards as 2.6 does: leading digits, none of which is 0, and a
// negative number is no limit.
func hops(v []byte) int {
	n := 0
	for i, c := range v {
		if i == 0 && c == '-' {
			return -1
		}
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
