package forward

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/icons"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/reply"
)

// policy is everything that follows from one Config, in the shape the
// transactions want it. It is immutable, and stays until the last transaction
// that began with it has ended.
type policy struct {
	cfg   *conf.Config
	lists *acl.Set
	logs  *accesslog.Logs
	pages *errpage.Pages
	icons *icons.Set
	fetch fetch.Policy
	reply reply.Policy

	request http1.Options
	url     http1.URLOptions

	product string // "squid/VERSION", or "squid" with httpd_suppress_version_string
	// visible is visible_hostname or the machine's name; unique is what Via and
	// loop detection use; port is that of the first http_port line.
	visible, unique string
	viaName         string // " unique:port (squid/VERSION)"

	logsAskReply bool
	purges       bool // PURGE is served: http_access speaks of it
	asksEarly    bool // ident_lookup_access may allow somebody
	wantsFields  bool // the log shows request fields as lines
	mapsErrors   bool // error_map

	users atomic.Int64 // transactions, and one for being current
	ended func()
}

// newPolicy derives a policy. What it opens (log files, templates) is closed
// again when it fails.
func newPolicy(cfg *conf.Config, s *Server) (*policy, error) {
	p := &policy{cfg: cfg}
	var err error
	var connections acl.ConnectionCounter = &s.clients
	if !cfg.ClientDB {
		connections = forgotten{}
	}
	if p.lists, err = acl.Compile(cfg, acl.Sources{
		Names: s.names, Connections: connections, Auth: nobody{}, External: noAnswer{}, Hardware: &s.hardware,
	}); err != nil {
		return nil, err
	}
	for _, rule := range cfg.IdentLookupAccess {
		p.asksEarly = p.asksEarly || rule.Allow
	}
	p.name(s.parts.Version)
	env := errpage.Env{Product: "squid/" + s.parts.Version, Server: p.product, Hostname: p.visible, Administrator: cfg.CacheMgr}
	if p.pages, err = errpage.Load(&cfg.ErrorPageSettings, env); err != nil {
		return nil, err
	}
	var problems []string
	p.icons, problems = icons.Load(&cfg.ErrorPageSettings, time.Now())
	for _, problem := range problems {
		s.parts.Log.Info(problem)
	}
	p.readOptions()
	fields := acl.NewFieldPolicy(cfg, p.lists)
	p.reply.Config, p.reply.HeaderAccess, p.reply.Dates = cfg, fields, &s.dates
	if p.fetch, err = fetch.NewPolicy(cfg, p.lists, fields, p.viaName); err != nil {
		return nil, err
	}
	p.fetch.Peers = peer.New(cfg, p.lists, &s.peers)
	p.fetch.Request, p.fetch.URL = p.request, p.url
	if p.logs, err = accesslog.Open(&cfg.LogSettings, s.logEnv()); err != nil {
		return nil, err
	}
	p.wantsFields = cfg.LogMimeHdrs
	p.logsAskReply = logsAskReply(cfg)
	p.mapsErrors = len(cfg.ErrorMap) > 0
	p.purges = namesPurge(cfg.HTTPAccess)
	p.users.Store(1)
	return p, nil
}

// readOptions says how requests are read.
func (p *policy) readOptions() {
	cfg := p.cfg
	p.request = http1.Options{
		Relaxed:         cfg.RelaxedHeaderParser != conf.Off,
		MaxHead:         int(cfg.RequestHeaderMaxSize),
		Methods:         http1.NewMethods(cfg.ExtensionMethods),
		RequestEntities: cfg.RequestEntities,
	}
	p.url = http1.URLOptions{
		Whitespace:      whitespace[cfg.URIWhitespace],
		CheckHostnames:  cfg.CheckHostnames,
		AllowUnderscore: cfg.AllowUnderscore,
		AppendDomain:    cfg.AppendDomain,
	}
}

var whitespace = map[conf.URIWhitespace]http1.Whitespace{
	conf.WhitespaceStrip:  http1.StripSpace,
	conf.WhitespaceDeny:   http1.DenySpace,
	conf.WhitespaceAllow:  http1.AllowSpace,
	conf.WhitespaceEncode: http1.EncodeSpace,
	conf.WhitespaceChop:   http1.ChopSpace,
}

// name works out what the proxy calls itself.
func (p *policy) name(version string) {
	p.product = "squid/" + version
	token := p.product
	if p.cfg.HTTPDSuppressVersionString {
		token = "squid"
		p.product = "squid"
	}
	p.visible = p.cfg.VisibleHostname
	if p.visible == "" {
		p.visible, _ = os.Hostname()
	}
	p.unique = p.visible
	if p.cfg.UniqueHostname != "" {
		p.unique = p.cfg.UniqueHostname
	}
	// 2.6 names the port of the first line whatever port a request came in on
	// (fact "X-Cache-Lookup and Via carry the port of the first http_port line").
	port := uint16(0)
	if len(p.cfg.HTTPPorts) > 0 {
		port = p.cfg.HTTPPorts[0].Addr.Port()
	}
	p.viaName = fmt.Sprintf(" %s:%d (%s)", p.unique, port, token)
	p.reply.ViaName = p.viaName
	p.reply.CacheName = " from " + p.visible
	p.reply.LookupName = fmt.Sprintf(" from %s:%d", p.visible, port)
}

// release gives back one use; the last one closes what the policy has open.
func (p *policy) release() {
	if p.users.Add(-1) == 0 {
		p.logs.Close()
		if p.ended != nil {
			p.ended()
		}
	}
}

// lifetime is client_lifetime, which bounds every transfer.
func (p *policy) lifetime(from time.Time) time.Time { return from.Add(p.cfg.ClientLifetime) }

// namesPurge reports whether some rule looks for the method PURGE.
func namesPurge(rules conf.AccessList) bool {
	for i := range rules {
		for _, ref := range rules[i].ACLs {
			if ref.ACL != nil && slices.Contains(ref.ACL.Methods, "PURGE") {
				return true
			}
		}
	}
	return false
}
