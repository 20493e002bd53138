package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// peerFlags are the options of cache_peer that are one word, case ignored.
var peerFlags = []struct {
	name  string
	field func(*Peer) *bool
}{
	{"proxy-only", func(p *Peer) *bool { return &p.ProxyOnly }},
	{"no-query", func(p *Peer) *bool { return &p.NoQuery }},
	{"no-digest", func(p *Peer) *bool { return &p.NoDigest }},
	{"multicast-responder", func(p *Peer) *bool { return &p.MulticastResponder }},
	{"closest-only", func(p *Peer) *bool { return &p.ClosestOnly }},
	{"default", func(p *Peer) *bool { return &p.Default }},
	{"round-robin", func(p *Peer) *bool { return &p.RoundRobin }},
	{"userhash", func(p *Peer) *bool { return &p.UserHash }},
	{"sourcehash", func(p *Peer) *bool { return &p.SourceHash }},
	{"htcp", func(p *Peer) *bool { return &p.HTCP }},
	{"htcp-oldsquid", func(p *Peer) *bool { return &p.HTCPOldSquid }},
	{"no-netdb-exchange", func(p *Peer) *bool { return &p.NoNetDBExchange }},
	{"carp", func(p *Peer) *bool { return &p.CARP }},
	{"no-delay", func(p *Peer) *bool { return &p.NoDelay }},
	{"allow-miss", func(p *Peer) *bool { return &p.AllowMiss }},
	{"originserver", func(p *Peer) *bool { return &p.OriginServer }},
}

// peerExtensions are the words of 2.7.
var peerExtensions = []struct {
	name, why string
	field     func(*Peer) *bool
}{
	{"http11", "It came with 2.7: HTTP/1.1 towards this peer.", func(p *Peer) *bool { return &p.HTTP11 }},
}

// peerTLS are the ssl options: plain text, case kept, unknown to builds without SSL.
var peerTLS = []struct {
	name  string
	field func(*Peer) *string
}{
	{"sslcert", func(p *Peer) *string { return &p.SSLCert }},
	{"sslkey", func(p *Peer) *string { return &p.SSLKey }},
	{"ssloptions", func(p *Peer) *string { return &p.SSLOptions }},
	{"sslcipher", func(p *Peer) *string { return &p.SSLCipher }},
	{"sslcafile", func(p *Peer) *string { return &p.SSLCAFile }},
	{"sslcapath", func(p *Peer) *string { return &p.SSLCAPath }},
	{"sslcrlfile", func(p *Peer) *string { return &p.SSLCRLFile }},
	{"sslflags", func(p *Peer) *string { return &p.SSLFlags }},
	{"ssldomain", func(p *Peer) *string { return &p.SSLDomain }},
}

// peerType is what the word w at a place says of a peer; unknown ones are told and mean sibling.
func (r *reader) peerType(w string, at span) PeerType {
	switch strings.ToLower(w) {
	case "parent":
		return PeerParent
	case "sibling", "neighbor", "neighbour":
		return PeerSibling
	case "multicast":
		return PeerMulticast
	}
	r.say("WARNING: Unknown neighbor type: %s", w)
	r.warnAt(at, "peer-type", fmt.Sprintf("%q is no type of peer and is read as sibling", w), "",
		nearest(w, []string{"parent", "sibling", "multicast"}))
	return PeerSibling
}

func peers(field func(*Config) *[]*Peer) kind {
	return lines("host type http-port icp-port [option…]", field, func(r *reader, add func(*Peer)) error {
		p, err := r.peer()
		if err != nil {
			return err
		}
		if old := r.b.peer(p.Name); old != nil {
			return r.abortedAt(r.all(), "ERROR: cache_peer %s specified twice\n", p.Name)
		}
		add(p)
		r.b.peers[lowerASCII(p.Name)] = p
		return nil
	}, func(d *dumper, p *Peer) []string { return p.words(d) })
}

func (r *reader) peer() (*Peer, error) {
	p := &Peer{Weight: 1, MonitorInterval: 300 * time.Second, ConnectionAuth: Warn, Pos: r.namePos()}
	var err error
	if p.Host, err = r.need("the peer's host name"); err != nil {
		return nil, err
	}
	p.Name = p.Host
	w, err := r.need("the peer's type")
	if err != nil {
		return nil, err
	}
	p.Type = r.peerType(w, r.here())
	if p.Type == PeerMulticast {
		p.NoDigest, p.NoNetDBExchange = true, true
	}
	if p.HTTPPort, err = r.ushort(); err != nil {
		return nil, err
	}
	if p.HTTPPort == 0 {
		return nil, r.bungled("a peer cannot be reached on port 0", "")
	}
	if p.ICPPort, err = r.ushort(); err != nil {
		return nil, err
	}
	for w := range each(r.word) {
		if err := r.peerOption(p, w); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (r *reader) peerOption(p *Peer, w string) error {
	for _, f := range peerFlags {
		if strings.EqualFold(w, f.name) {
			if f.name == "carp" && p.Type != PeerParent {
				return r.aborted("parse_peer: non-parent carp peer %s/%d\n", p.Host, p.HTTPPort)
			}
			*f.field(p) = true
			p.HTCP = p.HTCP || p.HTCPOldSquid
			return nil
		}
	}
	if name, value, ok := strings.Cut(w, "="); ok {
		if known, err := r.peerValue(p, lowerASCII(name), value); known || err != nil {
			return err
		}
		for _, o := range peerTLS {
			if o.name == name && r.b.hasSSL() {
				*o.field(p) = value
				return nil
			}
		}
		if name == "sslversion" && r.b.hasSSL() {
			v, err := r.decimal(value, r.here())
			p.SSLVersion = v
			return err
		}
	}
	if w == "ssl" && r.b.hasSSL() {
		p.SSL = true
		return nil
	}
	for _, t := range []struct {
		name  string
		field *Tristate
	}{{"front-end-https", &p.FrontEndHTTPS}, {"connection-auth", &p.ConnectionAuth}} {
		switch w {
		case t.name, t.name + "=on":
			*t.field = On
			return nil
		case t.name + "=off":
			*t.field = Off
			return nil
		case t.name + "=auto":
			*t.field = Warn
			return nil
		}
	}
	for _, x := range peerExtensions {
		if w == x.name {
			*x.field(p) = true
			r.extension("cache_peer:"+x.name, "cache_peer option "+x.name, x.why)
			return nil
		}
	}
	r.say("parse_peer: token='%s'", w)
	return r.unknownWord("cache_peer option", w, peerOptionNames())
}

func peerOptionNames() []string {
	list := []string{"weight=", "ttl=", "login=", "connect-timeout=", "digest-url=", "max-conn=", "name=", "monitorurl=",
		"monitorsize=", "monitorinterval=", "monitortimeout=", "forceddomain=", "front-end-https", "connection-auth"}
	for _, f := range peerFlags {
		list = append(list, f.name)
	}
	return list
}

// peerValue reads the options with a value; their names know no case.
func (r *reader) peerValue(p *Peer, name, value string) (known bool, err error) {
	whole := func(into *int) (bool, error) {
		v, err := r.decimal(value, r.here())
		*into = v
		return true, err
	}
	secs := func(into *time.Duration) (bool, error) {
		v, err := r.decimal(value, r.here())
		*into = time.Duration(v) * time.Second
		return true, err
	}
	switch name {
	case "weight":
		known, err = whole(&p.Weight)
		if p.Weight < 1 && err == nil {
			r.warn("peer-clamp", "weight is raised to 1", "", "")
			p.Weight = 1
		}
		return known, err
	case "ttl":
		known, err = whole(&p.TTL)
		if c := max(0, min(128, p.TTL)); c != p.TTL {
			r.warn("peer-clamp", fmt.Sprintf("ttl is cut to %d", c), "", "")
			p.TTL = c
		}
		return known, err
	case "login":
		p.Login = unescapeURL(value)
	case "connect-timeout":
		return secs(&p.ConnectTimeout)
	case "digest-url":
		p.DigestURL = value
	case "max-conn":
		return whole(&p.MaxConn)
	case "name":
		if value == "" && len(r.b.cfg.Peers) > 0 {
			return true, r.bungled("the name is empty", "2.6 crashes here.")
		}
		p.Name = value
	case "monitorurl":
		if p.MonitorURL = value; strings.HasPrefix(value, "/") {
			p.MonitorURL = fmt.Sprintf("http://%s:%d%s", p.Host, p.HTTPPort, value)
		}
	case "monitorsize":
		return true, r.monitorSize(p, value)
	case "monitorinterval":
		return secs(&p.MonitorInterval)
	case "monitortimeout":
		return secs(&p.MonitorTimeout)
	case "forceddomain":
		p.ForcedDomain = value
	default:
		return false, nil
	}
	return true, nil
}

// monitorSize reads min[,max] or min[-max].
func (r *reader) monitorSize(p *Peer, value string) error {
	i := strings.IndexByte(value, ',')
	if i < 0 {
		i = strings.IndexByte(value, '-')
	}
	low, high := value, ""
	if i >= 0 {
		low, high = value[:i], value[i+1:]
	}
	v, err := r.decimal(low, r.here())
	if err != nil {
		return err
	}
	p.MonitorMin, p.MonitorMax = int64(v), -1
	if i >= 0 {
		if v, err = r.decimal(high, r.here()); err != nil {
			return err
		}
		p.MonitorMax = int64(v)
	}
	return nil
}

// unescapeURL decodes %xx and %%; what is no such code, and %00, stays as it is.
func unescapeURL(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+1 < len(s) && s[i+1] == '%' {
			i++
		} else if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && v != 0 {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// escapeURL writes what unescapeURL reads back, in one word.
func escapeURL(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			b.WriteString("%25")
		case c <= ' ' || c == 0x7f:
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

var peerTypeWords = map[PeerType]string{PeerParent: "parent", PeerSibling: "sibling", PeerMulticast: "multicast"}

// String is the word of squid.conf.
func (t PeerType) String() string { return peerTypeWords[t] }

// words are the arguments that give the peer back.
func (p *Peer) words(d *dumper) []string {
	list := []string{p.Host, peerTypeWords[p.Type], strconv.Itoa(int(p.HTTPPort)), strconv.Itoa(int(p.ICPPort))}
	add := func(on bool, format string, v ...any) {
		if on {
			list = append(list, fmt.Sprintf(format, v...))
		}
	}
	for _, f := range peerFlags {
		add(*f.field(p), "%s", f.name)
	}
	add(p.Name != p.Host, "name=%s", p.Name)
	add(p.Weight != 1, "weight=%d", p.Weight)
	add(p.TTL != 0, "ttl=%d", p.TTL)
	add(p.Login != "", "login=%s", d.login(p.Login))
	add(p.ConnectTimeout != 0, "connect-timeout=%d", p.ConnectTimeout/time.Second)
	add(p.DigestURL != "", "digest-url=%s", p.DigestURL)
	add(p.MaxConn != 0, "max-conn=%d", p.MaxConn)
	add(p.MonitorURL != "", "monitorurl=%s", p.MonitorURL)
	if p.MonitorMin != 0 || p.MonitorMax != 0 {
		add(p.MonitorMax == -1, "monitorsize=%d", p.MonitorMin)
		add(p.MonitorMax != -1, "monitorsize=%d,%d", p.MonitorMin, p.MonitorMax)
	}
	add(p.MonitorInterval != 300*time.Second, "monitorinterval=%d", p.MonitorInterval/time.Second)
	add(p.MonitorTimeout != 0, "monitortimeout=%d", p.MonitorTimeout/time.Second)
	add(p.ForcedDomain != "", "forceddomain=%s", p.ForcedDomain)
	add(p.FrontEndHTTPS == On, "front-end-https")
	add(p.FrontEndHTTPS == Warn, "front-end-https=auto")
	add(p.ConnectionAuth == On, "connection-auth")
	add(p.ConnectionAuth == Off, "connection-auth=off")
	add(p.SSL, "ssl")
	for _, o := range peerTLS {
		add(*o.field(p) != "", "%s=%s", o.name, *o.field(p))
	}
	add(p.SSLVersion != 0, "sslversion=%d", p.SSLVersion)
	for _, x := range peerExtensions {
		add(*x.field(p), "%s", x.name)
	}
	return list
}
