package rights

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// Missing is an operation the kernel refused for want of a capability.
type Missing struct {
	// What was attempted, on what: "listening for foreign addresses on 0.0.0.0:80".
	What string
	// AnyOf are the capabilities of which one would have been enough.
	AnyOf []cap.Value
	Err   error
}

func (m *Missing) Error() string {
	return fmt.Sprintf("%s: needs %s (%v); %s", m.What, names(m.AnyOf, " or "), m.Err, m.Remedy())
}

func (m *Missing) Unwrap() error { return m.Err }

// Remedy is what the operator can do about it: the line of a systemd unit.
func (m *Missing) Remedy() string {
	return "start as root, or grant it in the unit with " + UnitLine(m.AnyOf[:1])
}

// UnitLine is the line of a systemd unit that grants capabilities to a service
// which does not start as root.
func UnitLine(values []cap.Value) string {
	return "AmbientCapabilities=" + strings.ToUpper(names(values, " "))
}

// Explain turns a refusal (EPERM, EACCES) into a Missing error; any other error
// comes back as it is.
func Explain(err error, what string, anyOf ...cap.Value) error {
	if err == nil || !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) {
		return err
	}
	return &Missing{What: what, AnyOf: anyOf, Err: err}
}

func names(values []cap.Value, separator string) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = strings.ToUpper(v.String())
	}
	return strings.Join(list, separator)
}

// Has reports whether this process has a capability in effect.
func Has(v cap.Value) bool {
	on, err := cap.GetProc().GetFlag(cap.Effective, v)
	return err == nil && on
}
