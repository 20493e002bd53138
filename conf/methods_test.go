package conf

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// The methods a configuration may name are those that requests are read with.
func TestMethodsAgree(t *testing.T) {
	var methods *http1.Methods
	for i, name := range append([]string{"NONE"}, knownMethods...) {
		if text := methods.Text(http1.Method(i)); text != name {
			t.Errorf("%d is %q when it is read and %q in squid.conf", i, text, name)
		}
	}
	if text := methods.Text(http1.Method(len(knownMethods) + 1)); text != "NONE" {
		t.Errorf("squid.conf does not know %q", text)
	}
	if maxMethods != http1.MaxExtensionMethods {
		t.Errorf("%d and %d more methods", maxMethods, http1.MaxExtensionMethods)
	}
}
