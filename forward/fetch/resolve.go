package fetch

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// addresses are where a hop leads: DNS's answer, or the one address an
// intercepted client wanted.
type addresses struct {
	answer dns.Answer
	only   netip.Addr
	fit    []netip.Addr // those of answer that may be connected to, when not all may
}

// Len is the number of addresses.
func (a *addresses) Len() int {
	switch {
	case a.only.IsValid():
		return 1
	case a.fit != nil:
		return len(a.fit)
	}
	return a.answer.Len()
}

// At gives the i-th address to try.
func (a *addresses) At(i int) netip.Addr {
	switch {
	case a.only.IsValid():
		return a.only
	case a.fit != nil:
		return a.fit[i]
	}
	return a.answer.At(i)
}

// addresses finds where to connect.
func (f *Fetch) addresses(host string) (addresses, *failure.Failure) {
	if !f.direct() {
		return f.resolve(host)
	}
	a, why := addresses{}, (*failure.Failure)(nil)
	if f.req.Claimed {
		a, why = f.destination(host)
	} else {
		a, why = f.resolve(host)
	}
	if why != nil {
		return a, why
	}
	return f.strike(host, a)
}

// resolve asks DNS for the addresses of a host.
func (f *Fetch) resolve(host string) (addresses, *failure.Failure) {
	a, err := f.env.Names.Addrs(f.ctx, host)
	if err == nil {
		return addresses{answer: a}, nil
	}
	why := failure.Unresolved(err)
	if f.direct() {
		why.Repeat = failure.Never
	}
	return addresses{}, why
}

// note and noteAddress keep what the log says about the hop.
func (f *Fetch) note(code, host string) {
	f.code = code
	f.host = append(f.host[:0], host...)
}

// noteAddress puts the address in the host's place when log_ip_on_direct is on.
func (f *Fetch) noteAddress(addr netip.Addr) {
	if f.hop.NamesAddress() && f.policy.Config.LogIPOnDirect {
		f.host = addr.AppendTo(f.host[:0])
	}
}

// ForgetHop makes the log tell of no hop.
func (f *Fetch) ForgetHop() { f.code, f.host = "", f.host[:0] }

// Hierarchy is the log's code of the hop the request went to, "" for none, and its
// name or address, a view that lasts until Reset.
func (f *Fetch) Hierarchy() (code, host string) { return f.code, http1.View(f.host) }

// lifetime is until when the fetch may last: client_lifetime.
func (f *Fetch) lifetime() time.Time { return f.req.Began.Add(f.policy.Config.ClientLifetime) }

// patience is until when the next hop may stay silent: read_timeout, and the end
// of client_lifetime in any case.
func (f *Fetch) patience() time.Time {
	end := f.lifetime()
	if t := time.Now().Add(f.policy.Config.ReadTimeout); t.Before(end) {
		return t
	}
	return end
}
