package conf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// portOptions are the words of http_port and https_port, for suggestions.
var portOptions = []string{"transparent", "tproxy", "vhost", "vport", "vport=", "defaultsite=", "accel", "protocol=",
	"urlgroup=", "no-connection-auth", "name=", "http11", "act-as-origin"}

func httpPorts(field func(*Config) *[]*HTTPPort) kind {
	return lines("[address:]port [option…]", field, func(r *reader, add func(*HTTPPort)) error {
		p := &HTTPPort{Protocol: "http"}
		err := r.portLine(p, nil)
		if err == nil {
			add(p)
		}
		return err
	}, func(_ *dumper, p *HTTPPort) []string { return p.words("http") })
}

func httpsPorts(field func(*Config) *[]*HTTPSPort) kind {
	return lines("[address:]port [option…]", field, func(r *reader, add func(*HTTPSPort)) error {
		p := &HTTPSPort{HTTPPort: HTTPPort{Protocol: "https"}}
		err := r.portLine(&p.HTTPPort, p)
		if err == nil {
			if p.Passes = (p.Transparent || p.TProxy) && p.Cert == ""; p.Passes {
				r.extension("https_port:transparent", "https_port transparent without cert=",
					"2.6 needs a certificate there: this program reads the name in the ClientHello and passes the bytes on.")
			}
			add(p)
		}
		return err
	}, func(_ *dumper, p *HTTPSPort) []string { return append(p.words("https"), p.tlsWords()...) })
}

// portLine reads an http_port or, when tls is given, an https_port line.
func (r *reader) portLine(p *HTTPPort, tls *HTTPSPort) error {
	w, err := r.need("the port")
	if err != nil {
		return err
	}
	p.Pos = r.namePos()
	if err := r.listenAddress(p, w); err != nil {
		return err
	}
	for w := range each(r.word) {
		if tls != nil {
			known, err := r.tlsOption(tls, w)
			if err != nil {
				return err
			}
			if known {
				continue
			}
		}
		if err := r.portOption(p, w); err != nil {
			return err
		}
	}
	return r.verifyPort(p)
}

const everyAddress = "To listen on every address give the port alone."

// listenAddress reads [address:]port (facts port_spec_*).
func (r *reader) listenAddress(p *HTTPPort, w string) error {
	if strings.HasPrefix(w, "[") {
		if a, err := netip.ParseAddrPort(w); err == nil && a.Port() != 0 && a.Addr().Zone() == "" {
			r.extension("http_port:[ipv6]:port", "an IPv6 listening address", "2.6 knows IPv4 only and refuses the line.")
			p.Addr = a
			return nil
		}
	}
	host, digits, hasHost := strings.Cut(w, ":")
	if !hasHost {
		host, digits = "", w
	}
	port, err := r.port16(digits, r.here())
	if e, ok := err.(*refusal); ok {
		switch {
		case strings.Contains(digits, ":"):
			e.detail = "An IPv6 address stands in brackets: [2001:db8::1]:3128."
		case host == "" && w == "*":
			e.detail = everyAddress
		}
		return e
	}
	if port == 0 {
		return r.bungled("port 0 cannot be listened on", "")
	}
	addr := anyAddr
	if hasHost {
		a, ok := dottedQuad(host)
		if !ok {
			addrs := r.b.resolve(host)
			if len(addrs) == 0 {
				detail := ""
				if host == "" || host == "*" {
					detail = everyAddress
				}
				return r.bungled(fmt.Sprintf("%q is no address and does not resolve", host), detail)
			}
			a = addrs[0]
			// A host name also names the site (fact port_host_is_defaultsite).
			p.Host, p.DefaultSite, p.HasDefaultSite = host, host, true
		}
		addr = a
	}
	p.Addr = netip.AddrPortFrom(addr, port)
	return nil
}

func (r *reader) portOption(p *HTTPPort, w string) error {
	name, value, _ := strings.Cut(w, "=")
	hasValue := len(name) < len(w)
	switch {
	case name == "defaultsite" && hasValue:
		p.DefaultSite, p.HasDefaultSite, p.Accel = value, true, true
	case name == "name" && hasValue:
		p.Name = value
	case w == "transparent":
		p.Transparent = true
	case w == "vhost":
		p.VHost, p.Accel = true, true
	case w == "vport":
		p.VPort, p.Accel = VPortLocal, true
	case name == "vport" && hasValue:
		n, err := r.port16(value, r.here())
		if err != nil {
			return err
		}
		p.VPort, p.Accel = int(n), true
	case w == "accel":
		p.Accel = true
	case w == "no-connection-auth":
		p.NoConnectionAuth = true
	case name == "urlgroup" && hasValue:
		p.URLGroup = value
	case name == "protocol" && hasValue:
		p.Protocol = value
	case w == "tproxy":
		p.TProxy = true
	case w == "http11":
		p.HTTP11 = true
		r.extension("http_port:http11", "http_port option http11", "It came with 2.7: HTTP/1.1 towards clients of this port.")
	case w == "act-as-origin":
		p.ActAsOrigin = true
		r.extension("http_port:act-as-origin", "http_port option act-as-origin", "It came with 2.7: an accelerator's replies carry a Date of its own, and Expires as far from it as the origin said.")
	default:
		return r.unknownWord("http_port option", w, portOptions)
	}
	return nil
}

// verifyPort checks options against each other. Accelerator options beside
// transparent were accepted up to STABLE3; the file of the old instructions
// (http_port 80 transparent tproxy vhost vport=80) is accepted here with the
// meaning it had in practice: interception, the accelerator options do nothing.
func (r *reader) verifyPort(p *HTTPPort) error {
	if p.Accel && p.Transparent {
		if p.TProxy && p.VHost && p.VPort != 0 && !strings.Contains(" "+r.text+" ", " accel ") && !strings.Contains(r.text, "defaultsite=") {
			p.Accel, p.VHost, p.VPort, p.AccelIgnored = false, false, 0, true
			if r.line != nil {
				d := Diagnostic{Severity: Warning, Pos: r.namePos(), Len: len(r.line.Directive) + len(r.text), Check: "port-accel-ignored",
					Summary: "vhost and vport have no effect on an intercepting port",
					Detail: "2.6.STABLE4 and later refuse this line, STABLE1 to STABLE3 accept it. It is read as \"transparent tproxy\": " +
						"the site is the intercepted connection's destination and the Host header."}
				r.b.diagnose(d)
				d.Severity, d.Listed = Note, "http_port:transparent+vhost+vport="
				d.Summary = "transparent together with vhost and vport is an extension"
				r.b.extend(d)
			}
			return nil
		}
		r.say("Can't be both a transparent proxy and web server accelerator on the same port")
		return r.bungledAt(r.all(), "transparent and accelerator options exclude each other",
			"vhost, vport and defaultsite= imply accel. Keep transparent and remove them, or the other way round.")
	}
	if p.Accel && !p.VHost && !p.HasDefaultSite && p.VPort == 0 {
		r.say("Accelerator mode requires at least one of vhost/vport/defaultsite")
		return r.bungledAt(r.all(), "accelerator mode needs vhost, vport or defaultsite=", "")
	}
	return nil
}

// words are the arguments that give the port back.
func (p *HTTPPort) words(protocol string) []string {
	addr := p.Addr.String()
	if p.Host != "" {
		addr = p.Host + ":" + strconv.Itoa(int(p.Addr.Port()))
	}
	list := []string{addr}
	add := func(on bool, w string) {
		if on {
			list = append(list, w)
		}
	}
	add(p.Transparent, "transparent")
	add(p.TProxy, "tproxy")
	add(p.AccelIgnored, "vhost vport=80")
	add(p.Accel, "accel")
	add(p.HasDefaultSite && (p.DefaultSite != p.Host || p.Host == ""), "defaultsite="+p.DefaultSite)
	add(p.VHost, "vhost")
	switch {
	case p.VPort == VPortLocal:
		add(true, "vport")
	case p.VPort != 0:
		add(true, "vport="+strconv.Itoa(p.VPort))
	}
	add(p.URLGroup != "", "urlgroup="+p.URLGroup)
	add(p.Protocol != protocol, "protocol="+p.Protocol)
	add(p.NoConnectionAuth, "no-connection-auth")
	add(p.Name != "", "name="+p.Name)
	add(p.HTTP11, "http11")
	add(p.ActAsOrigin, "act-as-origin")
	return list
}

// tlsStrings ties the options of https_port that are plain text to their fields.
var tlsStrings = []struct {
	name  string
	field func(*HTTPSPort) *string
}{
	{"cert", func(p *HTTPSPort) *string { return &p.Cert }},
	{"key", func(p *HTTPSPort) *string { return &p.Key }},
	{"options", func(p *HTTPSPort) *string { return &p.Options }},
	{"cipher", func(p *HTTPSPort) *string { return &p.Cipher }},
	{"clientca", func(p *HTTPSPort) *string { return &p.ClientCA }},
	{"cafile", func(p *HTTPSPort) *string { return &p.CAFile }},
	{"capath", func(p *HTTPSPort) *string { return &p.CAPath }},
	{"crlfile", func(p *HTTPSPort) *string { return &p.CRLFile }},
	{"dhparams", func(p *HTTPSPort) *string { return &p.DHParams }},
	{"sslflags", func(p *HTTPSPort) *string { return &p.SSLFlags }},
	{"sslcontext", func(p *HTTPSPort) *string { return &p.SSLContext }},
}

func (r *reader) tlsOption(p *HTTPSPort, w string) (bool, error) {
	name, value, ok := strings.Cut(w, "=")
	if !ok {
		return false, nil
	}
	if name == "version" {
		v, err := r.decimal(value, r.here())
		if err == nil && (v < 1 || v > 4) {
			err = r.bungled("version goes from 1 to 4", "1 automatic, 2 SSLv2, 3 SSLv3, 4 TLSv1.")
		}
		p.Version = v
		return true, err
	}
	for _, o := range tlsStrings {
		if o.name == name {
			*o.field(p) = value
			return true, nil
		}
	}
	return false, nil
}

func (p *HTTPSPort) tlsWords() []string {
	var list []string
	for _, o := range tlsStrings {
		if v := *o.field(p); v != "" {
			list = append(list, o.name+"="+v)
		}
	}
	if p.Version != 0 {
		list = append(list, "version="+strconv.Itoa(p.Version))
	}
	return list
}
