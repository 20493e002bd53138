package acl

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/report"
)

// Sources supplies the facts that are not in the message. Any of them may be
// nil: the ACL types that need it are then Missing, plain or negated, and
// Set.Idle names them, so that the start can say so.
type Sources struct {
	// Names serves dst, srcdomain, srcdom_regex, dst_as, and dstdomain and
	// dstdom_regex on an address.
	Names dns.Resolver
	// External serves external.
	External ExternalLookup
	// ASNumbers serves src_as and dst_as.
	ASNumbers ASNumbers
	// Connections serves maxconn.
	Connections ConnectionCounter
	// Hardware serves arp.
	Hardware HardwareAddresses
	// Certificates serves user_cert and ca_cert.
	Certificates Certificates
	// Trace is told of every comparison (debug_options 28,3); the zero value is silent.
	Trace report.Section
	// Now is the clock of the type time; nil means time.Now. Its location is the
	// one times are read in.
	Now func() time.Time
}

// AuthState is how far a client got with authenticating itself.
type AuthState uint8

const (
	// NoAuth: credentials do not apply here (an intercepted client, no request).
	NoAuth AuthState = iota
	// AuthNeeded: none were sent, or wrong ones: ask for them.
	AuthNeeded
	// AuthFailed: the credentials cannot be checked; the ACL does not match.
	AuthFailed
	// Authenticated: the user name is right.
	Authenticated
)

// ExternalLookup asks an external_acl_type helper.
type ExternalLookup interface {
	// Match asks the helper of an ACL with the ACL's arguments. known is what was
	// told about the request before (who the user is), said what the helper says
	// beside its verdict; both may be nil.
	Match(ctx context.Context, use *conf.ExternalUse, f *Facts, known *Told) (outcome Ternary, said *Told)
	// Remembered is what the helper said to the same question before, Unknown when it
	// was not asked lately.
	Remembered(ctx context.Context, use *conf.ExternalUse, f *Facts, known *Told) (outcome Ternary, said *Told)
}

// ASNumbers knows which autonomous systems an address belongs to.
type ASNumbers interface {
	// ASNumbers gives those that announce the most specific network around it.
	ASNumbers(addr netip.Addr) []uint32
}

// ConnectionCounter counts client connections.
type ConnectionCounter interface {
	// Established is the number of connections now open from addr.
	Established(addr netip.Addr) int
}

// HardwareAddresses reads the host's neighbour table.
type HardwareAddresses interface {
	// HardwareAddress gives the Ethernet address of a directly connected client.
	HardwareAddress(addr netip.Addr) (mac [6]byte, ok bool)
}

// Certificates looks at the client's TLS certificate.
type Certificates interface {
	// Attribute gives an attribute (CN, O, ...) of the client's certificate, or
	// with issuer of the one who signed it.
	Attribute(f *Facts, name string, issuer bool) (value string, ok bool)
}

// Ternary is the outcome of matching one ACL. Unknown matches neither the ACL
// nor its negation.
type Ternary int8

const (
	// No: the answer is known, and it is no.
	No Ternary = 0
	// Yes: likewise, yes.
	Yes Ternary = 1
	// Unknown: nothing could be found out.
	Unknown Ternary = -1
	// AskCredentials is Unknown, and ends the check with Challenge.
	AskCredentials Ternary = -2
	// Missing is Unknown for want of a source of facts: an allow line does not
	// match then, a deny line does when its other ACLs hold.
	Missing Ternary = -3
)
