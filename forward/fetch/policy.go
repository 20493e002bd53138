package fetch

import (
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Env is what all fetches of a process share.
type Env struct {
	Names  dns.Resolver
	Pool   *origin.Pool
	Dialer *origin.Dialer
	Log    *zap.Logger
	// Say is for the lines of debug_options.
	Say report.Sections
	// Hosts keeps the books of host_verify.
	Hosts Verification
	// Nowhere keeps reports few of requests for which there is no hop.
	Nowhere report.PerClient
}

// Policy is what one configuration says about fetching. It is immutable.
type Policy struct {
	Config       *conf.Config
	Lists        *acl.Set
	Peers        *peer.Set
	HeaderAccess *acl.FieldPolicy
	// ViaName is what Via says of this proxy behind the version.
	ViaName string
	// Request and URL say how the proxy's own requests are read, Reply how replies
	// are.
	Request, Reply http1.Options
	URL            http1.URLOptions

	// Rules say how long objects stay fresh.
	Rules *freshness.Rules

	outgoingAsksDst bool
}

// NewPolicy derives a policy; the caller adds Peers and how requests are read. An
// error names the directive at fault.
func NewPolicy(cfg *conf.Config, lists *acl.Set, fields *acl.FieldPolicy, viaName string) (p Policy, err error) {
	p = Policy{Config: cfg, Lists: lists, HeaderAccess: fields, ViaName: viaName}
	p.Reply = http1.Options{
		Relaxed: cfg.RelaxedHeaderParser != conf.Off,
		MaxHead: int(cfg.ReplyHeaderMaxSize),
		HTTP11:  cfg.ServerHTTP11,
	}
	p.outgoingAsksDst = lists.OutgoingAsksDst()
	p.Rules, err = freshness.NewRules(cfg)
	return p, err
}
