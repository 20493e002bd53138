package forward

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
)

// addresses are where the next hop is: DNS's answer, or the one address an
// intercepted client wanted.
type addresses struct {
	answer dns.Answer
	only   netip.Addr
}

// Len is the number of addresses.
func (a *addresses) Len() int {
	if a.only.IsValid() {
		return 1
	}
	return a.answer.Len()
}

// At gives the i-th address to try.
func (a *addresses) At(i int) netip.Addr {
	if a.only.IsValid() {
		return a.only
	}
	return a.answer.At(i)
}

// addresses finds where to connect.
func (x *transaction) addresses(host string) (addresses, *failure) {
	if x.hop.Peer == nil && x.intercepted() {
		return x.destination(host)
	}
	return x.resolve(host)
}

// resolve asks DNS for the addresses of a host.
func (x *transaction) resolve(host string) (addresses, *failure) {
	a, err := x.srv.names.Addrs(x.context(), host)
	if err == nil {
		return addresses{answer: a}, nil
	}
	f := newFailure(errpage.DNSFail, 503).because(err, 0)
	var de *dns.Error
	if errors.As(err, &de) {
		f.detail = de.Kind.String()
	}
	f.final = x.hop.Peer == nil
	return addresses{}, f
}

// note and noteAddress keep what the log says about the way out. Both keep
// views: the host lives in the transaction.
func (x *transaction) note(code, host string) {
	x.hier = code
	x.hierHost = append(x.hierHost[:0], host...)
}

// noteAddress puts the address in the host's place when log_ip_on_direct is on.
func (x *transaction) noteAddress(addr netip.Addr) {
	if x.hop.Peer == nil && !x.hop.Pinned && x.p.cfg.LogIPOnDirect {
		x.hierHost = addr.AppendTo(x.hierHost[:0])
	}
}

// clock reads the time.
func (x *transaction) clock() time.Time { return time.Now() }

// context ends when the client goes away or the server is shut down for good.
// It is made when something first has to wait.
func (x *transaction) context() context.Context {
	if x.ctx == nil {
		x.ctx = clientContext{x.cl}
	}
	return x.ctx
}

// clientContext is the context of whatever is done for a client. It costs
// nothing until somebody waits on it.
type clientContext struct{ cl *client }

// Deadline implements context.Context.
func (clientContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context. Package context asks it for the client's life,
// and then needs no goroutine to watch Done.
func (c clientContext) Value(key any) any { return c.cl.life().Value(key) }

// Done implements context.Context.
func (c clientContext) Done() <-chan struct{} { return c.cl.life().Done() }

// Err implements context.Context.
func (c clientContext) Err() error {
	if c.cl.gone.Load() {
		return context.Canceled
	}
	return nil
}
