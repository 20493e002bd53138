package conf

import (
	"fmt"
	"strings"
	"testing"
)

const head = "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"

func loadText(t testing.TB, text string) (*Config, *Report) {
	t.Helper()
	return LoadText("squid.conf", []byte(text), Options{World: newOracleWorld(t, "focused"), Lint: true})
}

// TestLint has an example of each finding: the check's name, and where it points.
func TestLint(t *testing.T) {
	const closed = "acl lan src 10.0.0.0/8\nhttp_access allow lan\nhttp_access deny all\n" // lines 3 to 5
	for _, c := range []struct{ text, want string }{
		{head + closed, ""},
		{head + "http_access deny all\nacl x port 1\n", "4:5 acl-unused"},
		{head + "acl a src 1.2.3.4\nacl b src 5.6.7.8\nhttp_access allow a b\nhttp_access deny all\n", "5:1 access-never"},
		{head + "acl a port 80\nhttp_access allow a !a\nhttp_access deny all\n", "4:1 access-never"},
		{head + "acl g method GET\nacl p method POST\nhttp_access allow g p\nhttp_access deny all\n", "5:1 access-never"},
		{head + "acl a src 1.2.3.4\nhttp_access deny all\nhttp_access allow a\n", "5:1 access-shadowed"},
		{head + "acl a src 1.2.3.4\nacl b port 80\nhttp_access deny a\nhttp_access allow a b\nhttp_access deny all\n", "6:1 access-shadowed"},
		{head + "http_access allow all\n", "3:1 access-open"},
		{head + "acl p port 80\nhttp_access allow p\nhttp_access deny all\n", "4:1 access-open"},
		{head + "acl a src 1.2.3.4\nhttp_access deny a\n", "4:1 access-open"},
		{head + closed + "http_port 80 transparent tproxy\n", "6:1 tproxy-outgoing"},
		{head + closed + "http_port 80 transparent tproxy vhost vport=80\ntcp_outgoing_address 192.0.2.9\n", "6:1 port-accel-ignored"},
		{head + closed + "wccp2_service dynamic 80\n", "6:1 wccp-info"},
		{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 1.2.3.4\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\nwccp2_service dynamic 90\n" +
			"wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80\n" +
			"wccp2_service_info 90 protocol=tcp flags=src_ip_hash,ports_source priority=240 ports=80\n", "12:1 wccp-pairing"},
		{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 1.2.3.4\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\nwccp2_service dynamic 90\n" +
			"wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80\n" +
			"wccp2_service_info 90 protocol=tcp flags=dst_ip_hash,ports_source priority=240 ports=80\n", ""},
		{head + closed + "refresh_pattern . 0 20% 4320\nrefresh_pattern ^ftp: 1 20% 2\n", "7:1 refresh-shadowed"},
		{head + closed + "refresh_pattern -i \\.gif 0 20% 4320\nrefresh_pattern -i \\.GIFX 1 20% 2\n", "7:1 refresh-shadowed"},
		{head + closed + "refresh_pattern ^http 0 20% 4320\nrefresh_pattern ftp 1 20% 2\n", ""},
		{head + closed + "acl d dstdomain .a.com www.a.com\nhttp_access deny d\n", "6:24 acl-overlap,7:1 access-shadowed"},
		{head + closed + "cache_peer p parent 80 0\ncache_peer_access p deny all\n", "6:1 peer-unreachable"},
		{head + closed + "cache_peer p parent 80 0\ncache_peer_access p deny lan\n", ""},
		{head + closed + "acl r url_regex \\d+\ncache deny r\n", "6:17 regex-dialect"},
		{head + closed + "acl r url_regex [\\w]\ncache deny r\n", "6:17 regex-dialect"},
		{head + closed + "acl r url_regex [[:digit:]\\.]\ncache deny r\n", "6:17 regex-dialect"},
		{head + closed + "acl r url_regex \\.mp3$ [0-9]\ncache deny r\n", ""},
		{head + closed + "cache Deny all\n", "6:7 access-skipped"},
		{head + closed + "cache_mem 8MB\n", "6:11 unit-glued"},
		{head + closed + "connect_timeout 30seconds\n", "6:17 unit-glued"},
		{head + closed + "via yes\n", "6:5 switch-reads-off"},
		{head + closed + "via on\nvia off\n", "7:1 duplicate"},
		{head + closed + "cache_peer p paren 80 0\n", "6:14 peer-type"},
		{head + closed + "refresh_pattern . 0 20% 1 ignore-reloads\n", "6:27 refresh-option"},
		{head + closed + "acl b src 10.0.0.9/24x\ncache deny b\n", "6:11 acl-mask,6:11 acl-value-tail"},
	} {
		_, report := loadText(t, c.text)
		var got []string
		for _, d := range report.Diagnostics {
			got = append(got, fmt.Sprintf("%d:%d %s", d.Pos.Line, d.Pos.Col, d.Check))
		}
		if s := strings.Join(got, ","); s != c.want {
			t.Errorf("got %q, want %q for\n%s", s, c.want, c.text)
		}
	}
}

// TestAllProblems: 2.6 stops at the first fatal line, we name them all.
func TestAllProblems(t *testing.T) {
	cfg, report := loadText(t, "acl all src 0/0\nhttp_prot 3128\nhttp_port x\nacl a srcc 1.2.3.4\nhttp_access allow lan\n")
	if cfg != nil || report.Exit != 1 {
		t.Errorf("config %v, exit %d", cfg, report.Exit)
	}
	var out strings.Builder
	report.Explain(&out, true)
	for _, want := range []string{"squid.conf:2:1: error: unknown directive \"http_prot\"", "did you mean \"http_port\"?",
		"squid.conf:3:11: error: http_port", "squid.conf:4:7: error: acl: unknown ACL type \"srcc\"", "did you mean \"src\"?",
		"    acl a srcc 1.2.3.4\n          ^~~~\n", "squid.conf:5:19: error: http_access: acl lan is not defined"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("explanation lacks %q:\n%s", want, out.String())
		}
	}
	n := 0
	for _, l := range report.Lines {
		if strings.HasPrefix(l.Text, "FATAL: ") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d FATAL lines", n)
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"http_acess": "http_access", "cache_memm": "cache_mem", "htpt_port": "http_port",
		"zzzz": "", "visible_hostnam": "visible_hostname"} {
		if got := nearest(word, directiveNames()); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
