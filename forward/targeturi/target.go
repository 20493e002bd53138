// Package targeturi finds the URL a request asks for. A proxy request names it whole;
// on transparent and accelerator ports it is put together from Host and the port's
// options (FACTS "Intercepting and accelerating ports").
package targeturi

import (
	"bytes"
	"cmp"
	"net/netip"
	"strconv"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/icons"
)

// Request is what the URL is made from.
type Request struct {
	*http1.Request
	Port *conf.HTTPPort
	// Local is the address the client connected to, Dialled where it meant to
	// connect to; the latter is invalid for a client that was not intercepted.
	Local, Dialled netip.AddrPort
	// Bound: the request goes to the port that was dialled, whatever Host says of it.
	Bound bool
	// Unique is the name the proxy's own objects are found under; Static says that
	// they are found on every port (global_internal_static).
	Unique string
	Static bool
}

// Form is how a URL came about.
type Form struct {
	// Rebuilt: it was made from Host or the port.
	Rebuilt bool
	// Accelerated: it was made by an accelerator.
	Accelerated bool
	// Internal: it names one of the proxy's own objects.
	Internal bool
	// Rewritten: it was put in its place by url_rewrite_program.
	Rewritten bool
	// HostPort is the port Host spoke of where the URL has the one that was dialled
	// instead; 0 elsewhere.
	HostPort uint16
}

// Append appends the URL to dst. With a fault that is what stood in its place.
func (r *Request) Append(dst []byte) (url []byte, form Form, fault http1.Fault) {
	t := r.Target
	originForm := len(t) > 0 && t[0] == '/'
	whole := append(dst, t...)
	switch {
	case r.Method == http1.CONNECT:
		if r.Major < 1 || r.Port.Accel {
			return whole, form, http1.InvalidRequest
		}
		return whole, form, http1.NoFault
	case originForm && r.Static && icons.IsInternal(t):
		return r.internal(dst)
	case originForm && r.Port.Transparent:
		return r.intercepted(dst)
	case originForm || r.Port.Accel:
		return r.accelerated(dst, originForm)
	}
	return whole, form, http1.NoFault
}

// intercepted takes the host from Host, or from where the client meant to connect
// to when it sent none.
func (r *Request) intercepted(dst []byte) ([]byte, Form, http1.Fault) {
	host, port := splitPort(r.Get(http1.Host))
	if len(host) == 0 && !r.Has(http1.Host) {
		if !r.Dialled.IsValid() {
			return r.lastResort(dst)
		}
		var text [64]byte
		return r.assemble(dst, r.Dialled.Addr().AppendTo(text[:0]), int(r.Dialled.Port()), r.Target)
	}
	if spoken := cmp.Or(port, httpPort); r.Bound && r.Dialled.IsValid() && spoken != int(r.Dialled.Port()) {
		// What is judged and logged is the port that is connected to.
		url, form, fault := r.assemble(dst, host, int(r.Dialled.Port()), r.Target)
		form.HostPort = uint16(min(spoken, 65535))
		return url, form, fault
	}
	return r.assemble(dst, host, port, r.Target)
}

// httpPort is what a Host without a port means (RFC 9110 section 4.2.1).
const httpPort = 80

// accelerated applies vhost, defaultsite and vport, in that order.
func (r *Request) accelerated(dst []byte, originForm bool) ([]byte, Form, http1.Fault) {
	port := r.Port
	path := r.Target
	// A port whose address was given by name has that for a site, accel or not.
	if !port.Accel && port.DefaultSite == "" {
		return r.lastResort(dst)
	}
	if !originForm {
		// An absolute URI keeps its host only with vhost.
		if port.VHost || bytes.HasPrefix(path, []byte("cache_object://")) {
			return append(dst, path...), Form{Accelerated: true}, http1.NoFault
		}
		_, rest, ok := bytes.Cut(path, []byte("//"))
		if !ok {
			return append(dst, path...), Form{}, http1.InvalidRequest
		}
		path = []byte("/")
		if slash := bytes.IndexByte(rest, '/'); slash >= 0 {
			path = rest[slash:]
		}
	}
	vport := port.VPort
	if vport == conf.VPortLocal {
		vport = int(r.Local.Port())
	}
	switch host, given := splitPort(r.Get(http1.Host)); {
	case port.VHost && r.Has(http1.Host):
		// vhost alone drops the port of Host; vport keeps it or puts in its own.
		if vport == 0 {
			given = 0
		} else if given == 0 {
			given = vport
		}
		return r.assemble(dst, host, given, path)
	case port.DefaultSite != "":
		site, given := splitPort([]byte(port.DefaultSite))
		return r.assemble(dst, site, given, path)
	case vport != 0:
		var text [64]byte
		return r.assemble(dst, r.Local.Addr().AppendTo(text[:0]), vport, path)
	}
	return r.lastResort(dst)
}

// lastResort is for an origin-form request that could not be made a URL in another
// way: it may ask for one of the proxy's own objects.
func (r *Request) lastResort(dst []byte) ([]byte, Form, http1.Fault) {
	if icons.IsInternal(r.Target) {
		return r.internal(dst)
	}
	return append(dst, r.Target...), Form{}, http1.InvalidRequest
}

func (r *Request) internal(dst []byte) ([]byte, Form, http1.Fault) {
	dst = append(append(append(dst, "internal://"...), r.Unique...), r.Target...)
	return dst, Form{Accelerated: true, Internal: true}, http1.NoFault
}

// assemble appends scheme://host[:port]path.
func (r *Request) assemble(dst, host []byte, port int, path []byte) ([]byte, Form, http1.Fault) {
	scheme := r.Port.Protocol
	if scheme == "" {
		scheme = "http"
	}
	dst = append(append(dst, scheme...), "://"...)
	if len(host) > 0 && host[0] != '[' && bytes.IndexByte(host, ':') >= 0 {
		dst = append(append(append(dst, '['), host...), ']') // an IPv6 address of ours
	} else {
		dst = append(dst, host...)
	}
	if port != 0 {
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(port), 10)
	}
	return append(dst, path...), Form{Rebuilt: true, Accelerated: !r.Port.Transparent}, http1.NoFault
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
