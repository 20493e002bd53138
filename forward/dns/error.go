package dns

// Error is a lookup that gave no usable answer.
type Error struct {
	// Name is what was asked: a host name or an address.
	Name string
	// Kind says why there is no answer.
	Kind Kind
	// Detail adds the fact behind it (which server, what went wrong); it may
	// be empty.
	Detail string
}

// Kind is the reason of a failed lookup.
type Kind uint8

const (
	// NotFound: the name does not exist (RFC 1035 section 4.1.1, RCODE 3).
	NotFound Kind = iota + 1
	// NoData: the name exists but has no record of the type asked for.
	NoData
	// BadName: the text cannot be a host name; no server was asked.
	BadName
	// ServerFailure: every server answered with a failure (RCODE 1, 2, 4 ...).
	ServerFailure
	// Refused: the servers would not answer us (RCODE 5).
	Refused
	// TimedOut: no server answered within dns_timeout.
	TimedOut
	// Overloaded: more lookups wait already than the resolver will hold.
	Overloaded
)

// String says the reason in a few words, as error pages show it.
func (k Kind) String() string {
	switch k {
	case NotFound:
		return "no such host name"
	case NoData:
		return "the host name has no address"
	case BadName:
		return "not a valid host name"
	case ServerFailure:
		return "the name servers failed"
	case Refused:
		return "the name servers refused to answer"
	case TimedOut:
		return "the name servers did not answer in time"
	case Overloaded:
		return "too many name lookups are waiting"
	}
	return "unknown reason"
}

func (e *Error) Error() string {
	text := "looking up " + e.Name + ": " + e.Kind.String()
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// Lasting reports whether the same question would surely fail again soon: the
// answer was "no", as opposed to no answer.
func (e *Error) Lasting() bool {
	return e.Kind == NotFound || e.Kind == NoData || e.Kind == BadName
}
