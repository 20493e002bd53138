package conf

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// extensionUses has a use of every word testdata/conf/extensions lists with a colon.
var extensionUses = map[string]string{
	"http_port:http11":                              "http_port 8080 http11",
	"http_port:act-as-origin":                       "http_port 8080 accel vhost act-as-origin",
	"http_port:transparent+vhost+vport=":            "http_port 80 transparent tproxy vhost vport=80",
	"http_port:[ipv6]:port":                         "http_port [2001:db8::1]:3128",
	"cache_peer:http11":                             "cache_peer p parent 80 0 http11",
	"wccp2_forwarding_method:gre":                   "wccp2_forwarding_method gre",
	"wccp2_forwarding_method:l2":                    "wccp2_forwarding_method l2",
	"wccp2_return_method:gre":                       "wccp2_return_method gre",
	"wccp2_return_method:l2":                        "wccp2_return_method l2",
	"wccp2_assignment_method:hash":                  "wccp2_assignment_method hash",
	"wccp2_assignment_method:mask":                  "wccp2_assignment_method mask",
	"wccp2_service_info:ports=8":                    "wccp2_service dynamic 80\nwccp2_service_info 80 protocol=tcp priority=1 ports=1,2,3,4,5,6,7,8",
	"wccp2_service_info:flags=":                     "wccp2_service dynamic 80\nwccp2_service_info 80 protocol=tcp priority=1 ports=80 flags=src_ip_hash",
	"acl:ipv6":                                      "acl six src 2001:db8::/32",
	"address:ipv6":                                  "tcp_outgoing_address 2001:db8::1 all",
	"refresh_pattern:stale-while-revalidate=":       "refresh_pattern . 1 20% 2 stale-while-revalidate=5",
	"refresh_pattern:ignore-stale-while-revalidate": "refresh_pattern . 1 20% 2 ignore-stale-while-revalidate",
	"refresh_pattern:refresh-ims":                   "refresh_pattern . 1 20% 2 refresh-ims",
	"refresh_pattern:ignore-no-store":               "refresh_pattern . 1 20% 2 ignore-no-store",
	"refresh_pattern:ignore-must-revalidate":        "refresh_pattern . 1 20% 2 ignore-must-revalidate",
	"logformat:ssl::>sni":                           "logformat names %ssl::>sni",
	"wccp2_router:ipv6":                             "wccp2_router 2001:db8::1",
	"https_port:transparent":                        "https_port 443 transparent tproxy",
	"refresh_pattern:max-stale=":                    "refresh_pattern . 1 20% 2 max-stale=5",
	"refresh_pattern:negative-ttl=":                 "refresh_pattern . 1 20% 2 negative-ttl=5",
}

// owner is the room, or rooms, that act on an extension, at the end of its entry.
var owner = regexp.MustCompile(`\[(cmd/squid|conf|wccp2|tproxy|forward(/[a-z]+)?)(, (cmd/squid|wccp2|tproxy|forward(/[a-z]+)?))*(, to come)?\]$`)

// TestExtensionsListed: what 2.6 refuses and we accept is what
// testdata/conf/extensions lists, both ways, each with an owner, and -k parse -v
// names each use.
func TestExtensionsListed(t *testing.T) {
	listed := readReasons(t, "extensions")
	for name, reason := range listed {
		if !owner.MatchString(reason) {
			t.Errorf("%s: %q names no owner", name, reason)
		}
	}
	words := map[string]bool{}
	for _, d := range Directives() {
		if d.Extension != "" {
			words[d.Name] = true
			if toCome := strings.HasSuffix(listed[d.Name], ", to come]"); toCome != (d.Effect == Pending) {
				t.Errorf("%s: to come: %v, but its effect is %v", d.Name, toCome, d.Effect)
			}
		}
	}
	for word, use := range extensionUses {
		words[word] = true
		_, report := loadText(t, head+use+"\n")
		var used []string
		for _, d := range report.Extensions {
			used = append(used, d.Listed)
		}
		if !report.Accepted() || !slices.Contains(used, word) {
			t.Errorf("%s: exit %d, uses named %q, for %q", word, report.Exit, used, use)
		}
		for _, u := range used {
			if _, ok := extensionUses[u]; !ok {
				t.Errorf("%q uses %s, which has no example here", use, u)
			}
		}
	}
	for w := range words {
		if listed[w] == "" {
			t.Errorf("extension %s is not in testdata/conf/extensions", w)
		}
	}
	for w := range listed {
		if !words[w] {
			t.Errorf("testdata/conf/extensions lists %s, which nothing accepts", w)
		}
	}
}

// TestExtensionsInRecordings: whatever a recorded file uses is a listed word.
func TestExtensionsInRecordings(t *testing.T) {
	listed := readReasons(t, "extensions")
	w := oracle(t)
	for _, rec := range readRecordings(t) {
		_, report := LoadText("squid.conf", latin1(rec.Conf), Options{World: w})
		for _, d := range report.Extensions {
			if listed[d.Listed] == "" {
				t.Errorf("%s: %v uses %q, which is not listed", rec.Name, d.Pos, d.Listed)
			}
		}
		if rec.Exit == 0 && len(report.Extensions) > 0 && report.Extensions[0].Listed != "acl:ipv6" && report.Extensions[0].Listed[:8] != "refresh_" {
			t.Errorf("%s: 2.6 accepts this file, yet %v is called an extension", rec.Name, report.Extensions[0].Pos)
		}
	}
}
