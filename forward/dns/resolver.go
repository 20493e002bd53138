package dns

import (
	"context"
	"net/netip"
)

// Resolver is what the rest of forward needs of DNS. *Cache is the real one;
// tests of other rooms bring their own.
//
// Names are taken in any case and with or without a final dot. A caller may
// pass a string that shares memory with a buffer it will reuse: whatever is
// kept is copied. Every method may be called from many goroutines.
type Resolver interface {
	// Addrs gives the addresses of a host name, in the order to try them, to
	// one who is going to connect: the next caller gets the next address first
	// (balance_on_multiple_ip). An address in text form is its own answer. It
	// waits for the name servers as long as dns_timeout allows, or until ctx
	// ends. The error is an *Error unless ctx ended.
	Addrs(ctx context.Context, host string) (Answer, error)

	// Look is Addrs for one who only wants to know: it takes no turn.
	Look(ctx context.Context, host string) (Answer, error)

	// Name gives the name of an address (hosts file, then PTR).
	Name(ctx context.Context, addr netip.Addr) (string, error)

	// KnownName is Name without waiting: ok is false when no name is known
	// now, and a lookup is begun for the next one who asks (log_fqdn).
	KnownName(addr netip.Addr) (name string, ok bool)

	// MarkBad says that connecting to this address of host failed: it goes to
	// the end of the order, and the entry is looked up again within a minute.
	MarkBad(host string, addr netip.Addr)

	// MarkGood takes MarkBad back after a successful connection.
	MarkGood(host string, addr netip.Addr)

	// Belongs reports whether any answer of the last host_verify_memory gave
	// addr as an address of host. It looks the name up when memory does not
	// say yes. An error means that DNS could not tell.
	Belongs(ctx context.Context, host string, addr netip.Addr) (bool, error)

	// Verified is Belongs without waiting: known is false when it cannot be told
	// now, and a lookup is begun for the next time.
	Verified(host string, addr netip.Addr) (belongs, known bool)
}
