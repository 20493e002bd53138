package fetch

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// requestHead appends the head that goes to the hop: the client's fields in their
// order without those of this hop, then what the proxy adds (fact "Outgoing
// request fields come in a fixed order").
func (f *Fetch) requestHead(dst []byte) []byte {
	out, req, fields := &f.fields, f.req, f.req.Fields
	out.Reset()
	cfg, p := f.policy.Config, f.hop.Peer
	proxying := p != nil && !p.OriginServer
	hop := fields.Has(http1.Connection)
	hostAt := -1
	for i := 0; i < fields.Len(); i++ {
		id := fields.ID(i)
		if hop && id != http1.ContentLength && fields.ConnectionLists(fields.Key(i)) {
			continue
		}
		switch id {
		case http1.Connection, http1.ProxyConnection, http1.KeepAlive, http1.TE, http1.Trailer,
			http1.TransferEncoding, http1.Upgrade, http1.ProxyAuthenticate, http1.CacheControlName:
		case http1.Expect:
			if f.expects() {
				out.Copy(fields, i)
			}
		case http1.ProxyAuthorization:
			if proxying && p.Login == "PASS" && !f.hop.Asks {
				out.Copy(fields, i)
			}
		case http1.Authorization:
			if passesAuthorization(p) {
				out.Copy(fields, i)
			}
		case http1.ContentLength:
			if req.Method != http1.CONNECT { // what follows that is the tunnel's
				out.Copy(fields, i)
			}
		case http1.Host:
			if hostAt < 0 {
				hostAt = i
				if req.KeepHost && f.forcedDomain() == "" {
					out.Copy(fields, i)
				} else {
					f.addHost()
				}
			}
		case http1.MaxForwards:
			if n := http1.Hops(fields.Value(i)); req.Method == http1.TRACE && n > 0 {
				out.AddInt(http1.MaxForwards, int64(n-1))
			}
		case http1.XForwardedFor:
			if !cfg.ForwardedFor {
				out.Copy(fields, i)
			}
		case http1.Via:
			if !cfg.Via {
				out.Copy(fields, i)
			}
		case http1.Other:
			if !f.actsAsSurrogate() || !http1.EqualFold(fields.Key(i), surrogateCapability) {
				out.Copy(fields, i)
			}
		case http1.FrontEndHTTPS:
			if f.frontEnd() == conf.Off {
				out.Copy(fields, i)
			}
		default:
			out.Copy(fields, i)
		}
	}
	if cfg.Via {
		out.List(fields, http1.Via).Int(int64(req.Major)).Text(".").Int(int64(req.Minor)).Text(f.policy.ViaName).End(http1.Via)
	}
	if cfg.ForwardedFor {
		out.List(fields, http1.XForwardedFor)
		if req.Client.IsValid() {
			out.Set(req.Client.Addr().AppendTo(out.Pieces())).End(http1.XForwardedFor)
		} else {
			out.Text("unknown").End(http1.XForwardedFor)
		}
	}
	if hostAt < 0 {
		f.addHost()
	}
	if f.actsAsSurrogate() {
		f.addCapability()
	}
	f.addCredentials()
	f.addCacheControl()
	keep := f.asksToStay() && req.Method != http1.CONNECT
	switch {
	case f.Upgrades():
		out.AddString(http1.Connection, "Upgrade")
		out.Add(http1.Upgrade, fields.Get(http1.Upgrade))
	case keep && proxying:
		out.AddString(http1.ProxyConnection, "keep-alive")
	case keep:
		out.AddString(http1.Connection, "keep-alive")
	case f.origin11() && req.Method != http1.CONNECT:
		out.AddString(http1.Connection, "close")
	}
	switch {
	case f.req.Body.Framing == http1.ByChunks:
		out.AddString(http1.TransferEncoding, "chunked")
	case f.req.Body.Framing == http1.ByLength && !fields.Has(http1.ContentLength):
		out.AddInt(http1.ContentLength, f.req.Body.Length) // it came in chunks
	}
	if fe := f.frontEnd(); fe == conf.On || fe == conf.Warn && f.req.URL.Scheme == http1.SchemeHTTPS {
		out.AddString(http1.FrontEndHTTPS, "On")
	}
	f.policy.HeaderAccess.Apply(f.ctx, out, f.req.Facts, f.req.Body.Framing != http1.NoBody)
	f.authorized = out.Has(http1.Authorization)
	return out.Append(f.requestLine(dst, proxying))
}

// rewrites reports whether the peer's options change the request: not where it is only
// asked whether it has something, and not for a tunnel, as in 2.6.
func (f *Fetch) rewrites() bool {
	return f.hop.Peer != nil && !f.hop.Asks && f.req.Method != http1.CONNECT
}

// forcedDomain is forceddomain= where it counts, "" for none.
func (f *Fetch) forcedDomain() string {
	if !f.rewrites() {
		return ""
	}
	return f.hop.Peer.ForcedDomain
}

// frontEnd is front-end-https where it counts, conf.Off for none.
func (f *Fetch) frontEnd() conf.Tristate {
	if !f.rewrites() {
		return conf.Off
	}
	return f.hop.Peer.FrontEndHTTPS
}

// AppendLines implements peer.Head: the lines a neighbour is asked with by HTCP,
// which are those it would get, without what is of the connection, without the order
// to a sibling not to fetch anything, and without credentials for the peer: questions
// are datagrams, which anybody on the way reads, and go to peers that may not be asked
// for the object in the end.
func (f *Fetch) AppendLines(dst []byte, to *peer.Peer) []byte {
	hop := f.hop
	f.hop = &peer.Hop{Peer: to, Asks: true}
	f.requestHead(nil)
	f.hop = hop
	f.fields.Remove(http1.Connection)
	f.fields.Remove(http1.ProxyConnection)
	dst = f.fields.Append(dst)
	return dst[:len(dst)-len("\r\n")]
}

// requestLine appends the request line: a peer is told the whole URL, an origin
// its path.
func (f *Fetch) requestLine(dst []byte, proxying bool) []byte {
	minor := 0
	if f.origin11() {
		minor = 1
	}
	f.target = f.target[:0]
	if proxying || f.req.Method == http1.CONNECT {
		f.target = append(f.target, f.req.CanonicalURL...)
	} else {
		f.target = f.req.URL.AppendTarget(f.target)
	}
	return http1.AppendRequestLine(dst, f.req.MethodText, f.target, minor)
}

// addHost adds Host with the value of the URL, or of the peer's forceddomain.
func (f *Fetch) addHost() {
	out := &f.fields
	if domain := f.forcedDomain(); domain != "" {
		out.AddString(http1.Host, domain)
		return
	}
	url := f.req.URL
	if f.req.HostPort != 0 && f.direct() {
		spoken := *url // what the client said, not where it dialled
		spoken.Port = f.req.HostPort
		url = &spoken
	}
	out.Set(url.AppendAuthority(out.Pieces())).End(http1.Host)
}

// addCredentials adds those of the URL when going direct, and those that
// login= gives a peer: an originserver gets them in both fields (fact "login=
// to an originserver sends both").
func (f *Fetch) addCredentials() {
	out, p := &f.fields, f.hop.Peer
	if f.hop.Asks {
		return
	}
	if p == nil {
		if len(f.req.URL.Userinfo) > 0 && !out.Has(http1.Authorization) {
			login := http1.View(f.req.URL.Userinfo)
			if f.req.Own { // login= of a peer, which had to fit into a URL
				if plain, err := url.PathUnescape(login); err == nil {
					login = plain
				}
			}
			f.addBasic(http1.Authorization, login)
		}
		return
	}
	login, own := p.Login, p.Login // for the peer as a proxy, and as an origin
	switch {
	case login == "":
		return
	case login == "PASS":
		if login = f.externalLogin(); login != "" && !p.OriginServer && !out.Has(http1.ProxyAuthorization) {
			f.addBasic(http1.ProxyAuthorization, login)
		}
		return
	case login == "PROXYPASS":
		f.addProxyPass()
		return
	case strings.HasPrefix(login, "*"):
		// As in 2.6, of two names the proxy gets the external ACL helper's and the origin
		// the one that was authenticated.
		var asked, proved string
		if told := f.req.Facts.Told; told != nil {
			asked, proved = told.User, told.AuthUser
		}
		login, own = cmp.Or(asked, proved, "-")+login[1:], cmp.Or(proved, asked, "-")+login[1:]
	}
	if !out.Has(http1.ProxyAuthorization) {
		f.addBasic(http1.ProxyAuthorization, login)
	}
	if p.OriginServer && f.rewrites() && !out.Has(http1.Authorization) {
		f.addBasic(http1.Authorization, own)
	}
}

// addProxyPass gives an originserver the credentials that were meant for the proxy, or
// that an external ACL helper gave, as its own (login=PROXYPASS).
func (f *Fetch) addProxyPass() {
	out := &f.fields
	if !f.hop.Peer.OriginServer || out.Has(http1.Authorization) {
		return
	}
	if given := f.req.Fields.Get(http1.ProxyAuthorization); len(given) > 6 && http1.EqualFold(given[:6], "Basic ") {
		out.Add(http1.Authorization, given)
	} else if login := f.externalLogin(); login != "" {
		f.addBasic(http1.Authorization, login)
	}
}

// externalLogin is the user and password an external ACL helper gave, "" for none.
func (f *Fetch) externalLogin() string {
	if told := f.req.Facts.Told; told != nil && told.User != "" && told.Password != "" {
		return told.User + ":" + told.Password
	}
	return ""
}

func (f *Fetch) addBasic(id http1.Name, login string) {
	f.fields.Text("Basic ").Text(base64.StdEncoding.EncodeToString([]byte(login))).End(id)
}

// addCacheControl passes the client's directives on, rebuilt, with max-age.
func (f *Fetch) addCacheControl() {
	cc := f.req.Control
	if !cc.Has(http1.CCMaxAge) {
		cc.SetMaxAge(int(f.policy.Rules.Of(f.req.CanonicalURL).Max))
	}
	out := &f.fields
	value := cc.Append(out.Pieces())
	if p := f.hop.Peer; p != nil && !f.hop.Asks && !p.AllowMiss && p.TypeFor(p.Host) == conf.PeerSibling && !cc.Has(http1.CCOnlyIfCached) {
		// It is asked for what it has, not to fetch it. What neighbor_type_domain says of
		// the peer's own name counts, as the peer is whom 2.6 sends this request to.
		value = append(value, ", only-if-cached"...)
	}
	out.Set(value).End(http1.CacheControlName)
}
