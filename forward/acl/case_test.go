package acl

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Without regard to case means that of ASCII letters. Bytes of another encoding
// stay apart: a user, host or pattern is never taken for its neighbour.
func TestCaseIsThatOfASCII(t *testing.T) {
	users := compileUsers(conf.UserList{ICase: true, Names: []string{"Ren\xe9", "\u0130", "AZ@[`{"}})
	for user, want := range map[string]bool{
		"ren\xe9": true, "REN\xe9": true, "ren\xe8": false, "ren\xc9": false, "ren\ufffd": false,
		"\u0130": true, "i\u0307": false, "i": false, "az@[`{": true, "az`[@{": false, "az@{`[": false,
	} {
		if got := users.has(user); got != want {
			t.Errorf("user %q: %v", user, got)
		}
	}
	hosts := domainsOf("Caf\xe9.Test", ".\xff.test")
	for host, want := range map[string]bool{
		"caf\xe9.test": true, "caf\xe8.test": false, "caf\ufffd.test": false, "a.\xff.test": true, "a.\xfe.test": false,
	} {
		if got := hosts.has(host); got != want {
			t.Errorf("host %q: %v", host, got)
		}
	}
	set, err := compiled(regexes(true, "Caf\xe9"))
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[string]bool{"caf\xe9": true, "CAF\xe9": true, "caf\xc9": false, "caf\xe8": false, "caf\xc3\xa9": false} {
		if got := set.has(subject); got != want {
			t.Errorf("expression on %q: %v", subject, got)
		}
	}
}
