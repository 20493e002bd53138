package intercept

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// A file written for IPv4 has IPv6 left alone; one whose rules could let a client of
// IPv6 in does not.
func TestFamiliesFollowTheRules(t *testing.T) {
	const acls = "visible_hostname proxy.test\nhttp_port 3129 transparent\nacl all src 0.0.0.0/0.0.0.0\nacl lan src 192.168.0.0/16\nacl lan6 src fd00::/8\nacl both src 192.168.0.0/16 fd00::/8\nacl Safe_ports port 80\n"
	for rules, want := range map[string]bool{
		"http_access allow lan\nhttp_access deny all\n":            false,
		"http_access deny !Safe_ports\nhttp_access allow lan\n":    false,
		"http_access allow lan Safe_ports\nhttp_access deny all\n": false,
		"http_access deny !lan\nhttp_access allow all\n":           false,
		"http_access deny all\nhttp_access allow all\n":            false,
		"":                        false,
		"http_access allow all\n": true,
		"http_access allow lan6\nhttp_access deny all\n":                            true,
		"http_access deny !lan Safe_ports\nhttp_access allow all\n":                 true,
		"http_access allow both\n":                                                  true,
		"http_access deny !both\nhttp_access allow Safe_ports\n":                    true,
		"http_access deny lan\nhttp_access allow Safe_ports\n":                      true,
		"http_access allow !lan\n":                                                  true,
		"http_access allow !all\n":                                                  false,
		"http_access deny Safe_ports all\nhttp_access allow all\n":                  true,
		"http_access allow lan lan6\nhttp_access deny all\nhttp_access allow all\n": false,
	} {
		cfg, report := conf.LoadText("squid.conf", []byte(acls+rules), conf.Options{World: conf.Offline{}})
		if cfg == nil {
			t.Fatal(report.Lines)
		}
		if got := admitsIPv6(cfg); got != want {
			t.Errorf("%q: %v", rules, got)
		}
	}
}
