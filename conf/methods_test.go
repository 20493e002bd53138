package conf

import (
	"slices"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// The methods a configuration may name are those that requests are read with.
func TestMethodsAreCurrent(t *testing.T) {
	if names := http1.MethodNames(); !slices.Equal(knownMethods, names) || maxMethods != http1.MaxExtensionMethods {
		t.Errorf("%q and %d more, requests are read with %q and %d: run go generate ./conf", knownMethods, maxMethods, names, http1.MaxExtensionMethods)
	}
}
