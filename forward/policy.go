package forward

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/acl/external"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/hitmark"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/icons"
	"github.com/cuttle-proxy/cuttle/forward/misses"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/refreshcheck"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/rewrite"
	"github.com/cuttle-proxy/cuttle/forward/uses"
	"go.uber.org/zap"
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
	// misses are told to a multicast group, nil for nobody.
	misses *misses.Stream
	fetch  fetch.Policy
	reply  reply.Policy
	// caching is what the cache is told of this policy.
	caching caching.Policy
	marks   *hitmark.Marks // nil where hits are not marked
	delay   *delay.Pools

	request http1.Options
	url     http1.URLOptions

	cacheStatusName string
	product         string // "squid/VERSION", or "squid" with httpd_suppress_version_string
	// visible is visible_hostname or the machine's name; unique is what Via and
	// loop detection use; port is that of the first http_port line.
	visible, unique string
	viaName         string // " unique:port (squid/VERSION)"

	logsAskReply bool
	// asksOwn: an ACL or a log asks for the proxy's own address.
	asksOwn     bool
	purges      bool // PURGE is served: http_access speaks of it
	asksEarly   bool // ident_lookup_access may allow somebody
	wantsFields bool // the log shows request fields as lines
	mapsErrors  bool // error_map

	helpers helpers

	ended func()

	_    [64]byte // each request writes what follows, and reads the rest
	uses uses.Count
	_    [64]byte
}

// shared is what the policies of all configurations have in common.
type shared struct {
	names       dns.Resolver
	connections acl.ConnectionCounter
	hardware    *acl.Neighbours
	systems     acl.ASNumbers
	peers       *peer.Env
	dates       *http1.DateCache
	version     string // of the release
	log         *zap.Logger
	trace       report.Section // of access lists
	logs        accesslog.Env
	excuse      func(error) // is told what of a policy cannot be had; nil where that ends it
	helpers     *helper.Group
	logins      *auth.Memory
}

// newPolicy derives a policy. What it opens (log files, templates) is closed
// again when it fails.
func newPolicy(cfg *conf.Config, s *shared) (*policy, error) {
	p := &policy{cfg: cfg}
	var err error
	connections := s.connections
	if !cfg.ClientDB {
		connections = forgotten{}
	}
	if p.lists, err = acl.Compile(cfg, acl.Sources{
		Names: s.names, Connections: connections, External: &p.helpers, Hardware: s.hardware, ASNumbers: s.systems,
		Trace: s.trace,
	}); err != nil {
		return nil, err
	}
	for _, rule := range cfg.IdentLookupAccess {
		p.asksEarly = p.asksEarly || rule.Allow
	}
	p.name(s.version)
	env := errpage.Env{Product: "squid/" + s.version, Server: p.product, Hostname: p.visible, Administrator: cfg.CacheMgr, Excuse: s.excuse}
	if p.pages, err = errpage.Load(&cfg.ErrorPageSettings, env); err != nil {
		return nil, err
	}
	var problems []string
	p.icons, problems = icons.Load(&cfg.ErrorPageSettings, time.Now())
	for _, problem := range problems {
		s.log.Info(problem)
	}
	p.readOptions()
	fields := acl.NewFieldPolicy(cfg, p.lists)
	p.reply.Config, p.reply.HeaderAccess, p.reply.Dates = cfg, fields, s.dates
	if p.fetch, err = fetch.NewPolicy(cfg, p.lists, fields, p.viaName); err != nil {
		return nil, err
	}
	p.fetch.ActAsSurrogate(p.visible)
	p.fetch.Peers = peer.New(cfg, p.lists, s.peers)
	p.fetch.Request, p.fetch.URL = p.request, p.url
	logs := s.logs
	logs.Excuse = s.excuse
	if p.logs, err = accesslog.Open(&cfg.LogSettings, logs); err != nil {
		return nil, err
	}
	if p.misses, err = misses.Open(cfg, s.log); err != nil {
		if s.excuse == nil {
			p.logs.Close()
			return nil, err
		}
		s.excuse(err)
	}
	p.wantsFields = cfg.LogMimeHdrs
	p.logsAskReply = logsAskReply(cfg)
	p.asksOwn = asksOwn(cfg)
	p.mapsErrors = len(cfg.ErrorMap) > 0
	p.purges = namesPurge(cfg.HTTPAccess)
	p.marks = hitmark.New(cfg, s.log)
	p.delay = delay.New(cfg, p.lists.Delay)
	p.helpers.start(cfg, s)
	p.caching = caching.Policy{Policy: &p.fetch, Product: p.product, Known: new(caching.Known), Holder: p}
	p.uses.Begin()
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
	p.cacheStatusName = caching.StatusName(p.visible)
	p.reply.CacheName = " from " + p.visible
	p.reply.LookupName = fmt.Sprintf(" from %s:%d", p.visible, port)
}

// Hold implements caching.Holder.
func (p *policy) Hold() { p.uses.Hold() }

// Release gives back what Hold took.
func (p *policy) Release() { p.close(p.uses.Release()) }

// leave gives back the use of a transaction that counts in a part.
func (p *policy) leave(part uses.Part) { p.close(p.uses.ReleasePart(part)) }

// retire says that the policy is not the current one any more.
func (p *policy) retire() { p.close(p.uses.Replaced()) }

// close closes what the policy has open when nobody needs it any more.
func (p *policy) close(end bool) {
	if end {
		p.logs.Close()
		p.misses.Close()
		p.helpers.close()
		if p.ended != nil {
			p.ended()
		}
	}
}

// isOwn reports whether a URL names one of the proxy's own objects: on its own
// host names, or anywhere for what is the same on every proxy
// (global_internal_static).
func (p *policy) isOwn(method http1.Method, url *http1.URL) bool {
	if !icons.IsInternal(url.Path) || method == http1.CONNECT {
		return false
	}
	host := http1.View(url.Host)
	isHost := func(name string) bool { return strings.EqualFold(host, name) }
	return isHost(p.visible) || isHost(p.unique) || slices.ContainsFunc(p.cfg.HostnameAliases, isHost) ||
		p.cfg.GlobalInternalStatic && icons.IsStatic(url.Path)
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

// logsAskReply reports whether an access list of the logs looks at the reply.
func logsAskReply(cfg *conf.Config) bool {
	asks := func(refs []conf.ACLRef) bool {
		for _, ref := range refs {
			if ref.ACL != nil && (ref.ACL.Type == conf.ACLRepHeader || ref.ACL.Type == conf.ACLRepMimeType) {
				return true
			}
		}
		return false
	}
	for _, log := range cfg.AccessLogs {
		if asks(log.ACLs) {
			return true
		}
	}
	for _, rule := range cfg.LogAccess {
		if asks(rule.ACLs) {
			return true
		}
	}
	return false
}

// helpers are the programs a configuration names, and what asks them.
type helpers struct {
	auth      *auth.Authenticator
	external  *external.Types
	rewriters rewrite.Rewriters
	refresh   *refreshcheck.Checker
	pools     []*helper.Pool
}

// start starts them.
func (h *helpers) start(cfg *conf.Config, s *shared) {
	start := func(o helper.Options) *helper.Pool {
		pool := s.helpers.Start(o)
		h.pools = append(h.pools, pool)
		return pool
	}
	h.auth = auth.New(auth.Options{Settings: &cfg.AuthSettings, Memory: s.logins, Start: start, Log: s.log})
	h.external = external.New(cfg.ExternalACLTypes, start, s.log, time.Now)
	h.rewriters = rewrite.New(cfg, start, s.log)
	h.refresh = refreshcheck.New(&cfg.ExternalRefreshCheck, start, s.log)
}

// close lets them end when they have answered what they were asked.
func (h *helpers) close() {
	for _, pool := range h.pools {
		pool.Close()
	}
}

// Match implements acl.ExternalLookup: access lists are compiled before the programs are
// started.
func (h *helpers) Match(ctx context.Context, use *conf.ExternalUse, f *acl.Facts, known *acl.Told) (acl.Ternary, *acl.Told) {
	return h.external.Match(ctx, use, f, known)
}

// Remembered implements acl.ExternalLookup likewise.
func (h *helpers) Remembered(ctx context.Context, use *conf.ExternalUse, f *acl.Facts, known *acl.Told) (acl.Ternary, *acl.Told) {
	return h.external.Remembered(ctx, use, f, known)
}

// warn names what nothing answers yet, ACLs and what helpers are told, with what that means.
func (p *policy) warn(log *zap.Logger) {
	for _, name := range p.lists.Idle() {
		log.Warn("WARNING: acl {acl}: this release cannot find out what it asks for: its allow lines never match, its deny lines always",
			zap.String("acl", name))
	}
	for _, e := range p.cfg.ExternalACLTypes {
		for i := range e.Format {
			if code := &e.Format[i]; external.Unknown(code) {
				log.Warn("WARNING: external_acl_type {name}: this release cannot find out what %{code} stands for: its helpers are told it is empty",
					zap.String("name", e.Name), zap.String("code", code.Code+code.Header))
			}
		}
	}
	for _, n := range p.delay.Faulty() {
		log.Warn("WARNING: delay pool {pool} has no class that is known: it is passed over", zap.Int("pool", n))
	}
}

// forgotten counts nobody's connections: client_db off, with which maxconn never
// matches.
type forgotten struct{}

// Established implements acl.ConnectionCounter.
func (forgotten) Established(netip.Addr) int { return 0 }

// asksOwn reports whether an ACL or a log shows the proxy's own address.
func asksOwn(cfg *conf.Config) bool {
	for _, a := range cfg.ACLs {
		if a.Type == conf.ACLMyIP {
			return true
		}
	}
	for _, f := range cfg.LogFormats {
		for i := range f.Tokens {
			if f.Tokens[i].Code == "la" {
				return true
			}
		}
	}
	return false
}

// log writes the entry to every log whose ACLs match, and tells of a miss. Whether
// the last line is with the kernel e.Pending tells.
func (p *policy) log(ctx context.Context, facts *acl.Facts, e *accesslog.Entry) {
	if !p.lists.LogAccess.Check(ctx, facts).Allowed() {
		return
	}
	for i, line := range p.logs.Lines() {
		if !p.lists.AccessLogs[i].Match(ctx, facts) {
			continue
		}
		if line.Conf.Kind == conf.LogNone {
			break
		}
		line.Put(e)
	}
	if p.misses != nil && e.Tag == "TCP_MISS" && facts.Method == http1.GET {
		p.misses.Tell(e.URL)
	}
}
