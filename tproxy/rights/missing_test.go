package rights

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

func TestExplainNamesCapabilityAndUnitLine(t *testing.T) {
	refused := os.NewSyscallError("setsockopt", syscall.EPERM)
	err := fmt.Errorf("wrapped: %w", Explain(refused, "marking sockets", cap.NET_ADMIN, cap.NET_RAW))
	var missing *Missing
	if !errors.As(err, &missing) || !errors.Is(err, syscall.EPERM) {
		t.Fatalf("%v", err)
	}
	want := "marking sockets: needs CAP_NET_ADMIN or CAP_NET_RAW (setsockopt: operation not permitted); " +
		"start as root, or grant it in the unit with AmbientCapabilities=CAP_NET_ADMIN"
	if missing.Error() != want {
		t.Errorf("%q, want %q", missing.Error(), want)
	}
}

func TestExplainLeavesOtherErrorsAlone(t *testing.T) {
	for _, err := range []error{nil, syscall.EADDRINUSE, errors.New("other")} {
		if got := Explain(err, "listening", cap.NET_BIND_SERVICE); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if _, is := Explain(syscall.EACCES, "port 80", cap.NET_BIND_SERVICE).(*Missing); !is {
		t.Error("EACCES was not explained")
	}
}

func TestUnitLine(t *testing.T) {
	if got := UnitLine([]cap.Value{cap.NET_RAW, cap.NET_BIND_SERVICE}); got != "AmbientCapabilities=CAP_NET_RAW CAP_NET_BIND_SERVICE" {
		t.Error(got)
	}
}

func TestHas(t *testing.T) {
	if os.Geteuid() == 0 && !Has(cap.NET_ADMIN) {
		t.Error("root lacks CAP_NET_ADMIN")
	}
}
