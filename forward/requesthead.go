package forward

import (
	"encoding/base64"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// requestHead appends the head that goes to x.hop: the client's fields in their
// order without those of this hop, then what the proxy adds (fact "Outgoing
// request fields come in a fixed order").
func (x *transaction) requestHead(dst []byte) []byte {
	out := &x.fields
	out.Reset()
	cfg, p := x.p.cfg, x.hop.Peer
	proxying := p != nil && !p.OriginServer
	req := &x.req
	hop := req.Has(http1.Connection)
	hostAt := -1
	for i := 0; i < req.Len(); i++ {
		id := req.ID(i)
		if hop && id != http1.ContentLength && req.ConnectionLists(req.Key(i)) {
			continue
		}
		switch id {
		case http1.Connection, http1.ProxyConnection, http1.KeepAlive, http1.TE, http1.Trailer,
			http1.TransferEncoding, http1.Upgrade, http1.ProxyAuthenticate, http1.CacheControlName:
		case http1.Expect:
			if x.expects() {
				out.Copy(&req.Fields, i)
			}
		case http1.ProxyAuthorization:
			if proxying && p.Login == "PASS" {
				out.Copy(&req.Fields, i)
			}
		case http1.Authorization:
			if x.passesAuthorization(p) {
				out.Copy(&req.Fields, i)
			}
		case http1.ContentLength:
			if req.Method != http1.CONNECT { // what follows that is the tunnel's
				out.Copy(&req.Fields, i)
			}
		case http1.Host:
			if hostAt < 0 {
				hostAt = i
				x.addHost()
			}
		case http1.MaxForwards:
			if n := hops(req.Value(i)); req.Method == http1.TRACE && n > 0 {
				out.AddInt(http1.MaxForwards, int64(n-1))
			}
		case http1.XForwardedFor:
			if !cfg.ForwardedFor {
				out.Copy(&req.Fields, i)
			}
		case http1.Via:
			if !cfg.Via {
				out.Copy(&req.Fields, i)
			}
		case http1.FrontEndHTTPS:
			if p == nil || p.FrontEndHTTPS == conf.Off {
				out.Copy(&req.Fields, i)
			}
		default:
			out.Copy(&req.Fields, i)
		}
	}
	if cfg.Via {
		out.List(&req.Fields, http1.Via).Int(int64(req.Major)).Text(".").Int(int64(req.Minor)).Text(x.p.viaName).End(http1.Via)
	}
	if cfg.ForwardedFor {
		out.List(&req.Fields, http1.XForwardedFor)
		if x.own {
			out.Text("unknown").End(http1.XForwardedFor)
		} else {
			out.Set(x.cl.remote.Addr().AppendTo(out.Pieces())).End(http1.XForwardedFor)
		}
	}
	if hostAt < 0 {
		x.addHost()
	}
	x.addCredentials()
	x.addCacheControl()
	keep := x.keepsOrigin() && req.Method != http1.CONNECT
	switch {
	case x.upgrades():
		out.AddString(http1.Connection, "Upgrade")
		out.Add(http1.Upgrade, req.Get(http1.Upgrade))
	case keep && proxying:
		out.AddString(http1.ProxyConnection, "keep-alive")
	case keep:
		out.AddString(http1.Connection, "keep-alive")
	case x.origin11() && req.Method != http1.CONNECT:
		out.AddString(http1.Connection, "close")
	}
	switch {
	case x.body.Framing == http1.ByChunks:
		out.AddString(http1.TransferEncoding, "chunked")
	case x.body.Framing == http1.ByLength && !req.Has(http1.ContentLength):
		out.AddInt(http1.ContentLength, x.body.Length) // it came in chunks
	}
	if p != nil && p.FrontEndHTTPS != conf.Off && (p.FrontEndHTTPS == conf.On || x.url.Scheme == http1.SchemeHTTPS) {
		out.AddString(http1.FrontEndHTTPS, "On")
	}
	x.p.fields.apply(x.context(), out, &x.facts, x.body.Framing != http1.NoBody)
	return out.Append(x.requestLine(dst, proxying))
}

// requestLine appends the request line: a peer is told the whole URL, an origin
// its path.
func (x *transaction) requestLine(dst []byte, proxying bool) []byte {
	minor := 0
	if x.origin11() {
		minor = 1
	}
	x.asked = x.asked[:0]
	if proxying || x.req.Method == http1.CONNECT {
		x.asked = append(x.asked, x.text...)
	} else {
		x.asked = x.url.AppendTarget(x.asked)
	}
	return http1.AppendRequestLine(dst, x.req.MethodText, x.asked, minor)
}

// addHost adds Host with the value of the URL, or of the peer's forceddomain.
func (x *transaction) addHost() {
	out := &x.fields
	if p := x.hop.Peer; p != nil && p.ForcedDomain != "" {
		out.AddString(http1.Host, p.ForcedDomain)
		return
	}
	out.Set(x.url.AppendAuthority(out.Pieces())).End(http1.Host)
}

// addCredentials adds those of the URL when going direct, and those that
// login= gives a peer: an originserver gets them in both fields (fact "login=
// to an originserver sends both").
func (x *transaction) addCredentials() {
	out, p := &x.fields, x.hop.Peer
	if p == nil {
		if len(x.url.Userinfo) > 0 && !out.Has(http1.Authorization) {
			x.addBasic(http1.Authorization, view(x.url.Userinfo))
		}
		return
	}
	login := p.Login
	switch {
	case login == "" || login == "PASS":
		return
	case login == "PROXYPASS":
		if auth := x.req.Get(http1.ProxyAuthorization); p.OriginServer && auth != nil && !out.Has(http1.Authorization) {
			out.Add(http1.Authorization, auth)
		}
		return
	case strings.HasPrefix(login, "*"):
		user := x.facts.Told.Name()
		if user == "" {
			user = "-"
		}
		login = user + login[1:]
	}
	if !out.Has(http1.ProxyAuthorization) {
		x.addBasic(http1.ProxyAuthorization, login)
	}
	if p.OriginServer && !out.Has(http1.Authorization) {
		x.addBasic(http1.Authorization, login)
	}
}

func (x *transaction) addBasic(id http1.Name, login string) {
	x.fields.Text("Basic ").Text(base64.StdEncoding.EncodeToString([]byte(login))).End(id)
}

// addCacheControl passes the client's directives on, rebuilt, with max-age.
func (x *transaction) addCacheControl() {
	cc := x.control
	if !cc.Has(http1.CCMaxAge) {
		cc.SetMaxAge(x.p.ages.of(x.text))
	}
	out := &x.fields
	out.Set(cc.Append(out.Pieces())).End(http1.CacheControlName)
}
