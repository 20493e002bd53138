package host

// Level is how bad a finding is.
type Level int

// The levels, from good to bad; squid -k preflight exits with the worst.
const (
	OK Level = iota
	Warn
	Fail
)

func (l Level) String() string { return [...]string{"ok", "warn", "fail"}[l] }

// MarshalText is how a level looks in JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }
