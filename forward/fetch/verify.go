package fetch

import (
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Verification keeps the books of host_verify. The zero value is ready.
type Verification struct {
	// Checked counts intercepted requests, Unverified those that named a host
	// DNS does not tie to the address the client dialled, Denied those of them that
	// http_access denied.
	Checked, Unverified, Denied atomic.Uint64

	forgeries report.PerClient // reports of names that are known to be forged
	denials   report.PerClient
}

// destination decides where an intercepted request goes: to the address the
// client dialled, unless its host name was found to belong there and
// client_dst_passthru is off, or host_verify is off as in 2.6. The name is
// looked up while the connection is being made; only host_verify_strict waits.
func (f *Fetch) destination(host string) (addresses, *failure.Failure) {
	cfg, wanted := f.policy.Config, f.req.Dialled.Addr()
	if !cfg.HostVerify {
		return f.resolve(host)
	}
	if cfg.HostVerifyStrict {
		if belongs, err := f.env.Names.Belongs(f.ctx, host, wanted); !belongs {
			return addresses{}, failure.HostForged(err)
		}
	}
	if belongs, _ := f.env.Names.Verified(host, wanted); belongs && !cfg.ClientDstPassthru {
		return f.resolve(host)
	}
	return addresses{only: wanted}, nil
}

// Verified reports whether the host name of an intercepted request is known to
// belong to the address it was sent to. What is not verified must neither be
// stored nor answered from the store: the name may be forged.
func (f *Fetch) Verified() (verified, known bool) {
	if !f.req.Claimed || !f.policy.Config.HostVerify {
		return true, true
	}
	return f.env.Names.Verified(http1.View(f.req.URL.Host), f.req.Dialled.Addr())
}

// CountDenied books a denied request of an intercepted client whose host name is not
// known to belong to where it dialled: it may have been denied for that alone.
func (v *Verification) CountDenied(names dns.Resolver, log *zap.Logger, facts *acl.Facts, now time.Time) {
	host := http1.View(facts.URL.Host)
	if belongs, _ := names.Verified(host, facts.Dialled.Addr()); belongs {
		return
	}
	v.Denied.Add(1)
	if v.denials.May(facts.Client, now) {
		log.Info("WARNING: client {client} denied: it asked {dialled} for {host}, which is not known to have that address; rules about names cannot let it in",
			zap.Stringer("client", facts.Client), zap.Stringer("dialled", facts.Dialled), zap.String("host", host))
	}
}

// CountVerified books an intercepted request at its end, when DNS has had time
// to answer.
func (f *Fetch) CountVerified() {
	if f.hop == nil || !f.req.Claimed || !f.policy.Config.HostVerify {
		return
	}
	hosts := &f.env.Hosts
	hosts.Checked.Add(1)
	verified, known := f.Verified()
	if verified {
		return
	}
	hosts.Unverified.Add(1)
	if client := f.req.Client.Addr(); known && hosts.forgeries.May(client, time.Now()) {
		f.env.Log.Info("WARNING: client {client} asked {dialled} for {host}, which has no such address",
			zap.Stringer("client", client), zap.Stringer("dialled", f.req.Dialled), zap.ByteString("host", f.req.URL.Host))
	}
}
