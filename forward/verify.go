package forward

import (
	"fmt"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
)

// verification keeps the books of host_verify. The zero value is ready.
type verification struct {
	checked, unverified atomic.Uint64
	forgeries           perClient // reports of names that are known to be forged
}

// Verification tells how many intercepted requests were checked, and how many
// of them named a host that DNS does not tie to the address the client dialled.
func (s *Server) Verification() (checked, unverified uint64) {
	return s.hosts.checked.Load(), s.hosts.unverified.Load()
}

// destination decides where an intercepted request goes: to the address the
// client dialled, unless its host name was found to belong there and
// client_dst_passthru is off, or host_verify is off as in 2.6. The name is
// looked up while the connection is being made; only host_verify_strict waits.
func (x *transaction) destination(host string) (addresses, *failure) {
	cfg, wanted := x.p.cfg, x.cl.meant.Addr()
	if !cfg.HostVerify {
		return x.resolve(host)
	}
	if cfg.HostVerifyStrict {
		if belongs, err := x.srv.names.Belongs(x.context(), host, wanted); !belongs {
			f := refusal(errpage.AccessDenied, 409).because(err, 0)
			f.final = true
			return addresses{}, f
		}
	}
	if belongs, _ := x.srv.names.Verified(host, wanted); belongs && !cfg.ClientDstPassthru {
		return x.resolve(host)
	}
	return addresses{only: wanted}, nil
}

// intercepted reports whether the request's host name is the client's claim about
// an address it dialled itself.
func (x *transaction) intercepted() bool { return x.cl.intercepted && x.rebuilt }

// verified reports whether the host name of an intercepted request is known to
// belong to the address it was sent to. What is not verified must neither be
// stored nor answered from the store: the name may be forged.
func (x *transaction) verified() (verified, known bool) {
	if !x.intercepted() || !x.p.cfg.HostVerify {
		return true, true
	}
	return x.srv.names.Verified(view(x.url.Host), x.cl.meant.Addr())
}

// countVerified books an intercepted request at its end, when DNS has had time
// to answer.
func (x *transaction) countVerified() {
	if x.hop == nil || !x.intercepted() || !x.p.cfg.HostVerify {
		return
	}
	hosts := &x.srv.hosts
	hosts.checked.Add(1)
	verified, known := x.verified()
	if verified {
		return
	}
	hosts.unverified.Add(1)
	if client := x.cl.remote.Addr(); known && hosts.forgeries.mayReport(client, x.clock()) {
		x.srv.parts.Log.Info(fmt.Sprintf("WARNING: client %s asked %s for %s, which has no such address",
			client, x.cl.meant, x.url.Host))
	}
}
