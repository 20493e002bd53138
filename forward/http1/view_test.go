package http1

import (
	"strings"
	"testing"
)

func TestHops(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "0": 0, "1": 1, "10": 10, "0010": 10, "5x": 5, "x": 0, "-1": -1, "-0": -1, "+1": 0, " 1": 0, "1.9": 1,
	} {
		if got := Hops([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if n := Hops([]byte(strings.Repeat("9", 100))); n < 1<<20 {
		t.Errorf("a hundred digits: %d", n)
	}
}

func TestAuthenticatesConnection(t *testing.T) {
	for text, want := range map[string]bool{
		"NTLM": true, "ntlm TlRM": true, "Negotiate": true, "Kerberos x": true, "Basic realm=\"NTLM\"": false, "NTLMv2": false, "": false, "Basic": false,
	} {
		if AuthenticatesConnection([]byte(text)) != want {
			t.Errorf("%q", text)
		}
	}
}
