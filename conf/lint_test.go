package conf

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const head = "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"

func loadText(t testing.TB, text string) (*Config, *Report) {
	t.Helper()
	return LoadText("squid.conf", []byte(text), Options{World: oracle(t), Lint: true})
}

// closed are the lines 3 to 5 of most of lintCases.
const closed = "acl lan src 10.0.0.0/8\nhttp_access allow lan\nhttp_access deny all\n"

// lintCases are files, and what the linter finds in them: the check's name and where
// it points.
var lintCases = []struct{ text, want string }{
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

	// What is missing because its line was refused, or misspelt, is not held against the file.
	{"http_port 3128\nacl lan src 10.0.0.0/8\nhttp_access allow lan\nhttp_access deny all\n", "4:0 refused,4:18 refused"},
	{head + "acl lan src 10.0.0.0/8\nhttp_acess allow lan\nhttp_access allow all\n", "4:1 unknown-directive"},
	{head + closed + "acl p port 80 x\nhttp_access deny p\n", "6:15 refused,7:18 refused"},
	{head + closed + "http_port 80 tproxy\ntcp_outgoing_address nosuch.test\n", "7:22 refused"},
	{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 1.2.3.4\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\nwccp2_service_info 80 protocol=tcp ports=80 priority=240 flags=src_ip_has\n", "10:58 refused"},
	{head + closed + "cache_peer p parent 80 0\ncache_peer_access p deny all\ncache_peer_access p allow nosuch\n", "8:27 refused"},
	// An ACL and its opposite decide everything.
	{head + "acl s dst 192.0.2.1\nhttp_access allow s\nhttp_access deny !s\nhttp_access allow all\n", ""},
	{head + "acl s src 192.0.2.1\nhttp_access allow s\nhttp_access deny !s\n", ""},
	{head + "acl s src 192.0.2.1\nacl p port 80\nhttp_access allow s p\nhttp_access deny !s\nhttp_access allow all\n", "7:1 access-open"},

	// An ACL counts as used wherever it is named, and to_localhost always: 2.6's own file defines it in vain.
	{head + closed + "acl to_localhost dst 127.0.0.0/8\n", ""},
	{head + closed + "acl b browser x\naccess_log /l squid b\n", ""},
	{head + closed + "acl b src 1.2.3.4\ntcp_outgoing_address 192.0.2.1 b\n", ""},
	{head + closed + "acl b src 1.2.3.4\ndeny_info ERR_X b\n", "6:5 acl-unused"},
	{head + closed + "acl b src 1.2.3.4\nhttp_access deny nosuch b\n", "7:18 refused"},
	// Rules: what narrows or comes from elsewhere is no shadow.
	{head + "acl a src 1.2.3.4\nacl b port 80\nhttp_access allow a b\nhttp_access deny a\nhttp_access deny all\n", ""},
	{head + "acl a src 1.2.3.4\nhttp_access deny !a\nhttp_access allow a\nhttp_access deny all\n", ""},
	{head + "acl a dst 1.2.3.4\nacl b dst 5.6.7.8\nhttp_access deny a b\nhttp_access deny all\n", ""}, // a name may have both
	{head + "acl a src 10.0.0.0/8\nacl b src 10.1.0.0/16\nhttp_access allow a b\nhttp_access deny all\n", ""},
	{head + "acl a port 80 443\nacl b port 443 563\nhttp_access deny a !b\nhttp_access deny a b\nhttp_access deny all\n", ""},
	// Open to the world.
	{head + "acl u browser Mozilla\nhttp_access allow u\nhttp_access deny all\n", "4:1 access-open"},
	{head + "acl d dstdomain .example.com\nhttp_access allow d\nhttp_access deny all\n", ""}, // an accelerator's list
	{head + "acl a src 1.2.3.4\nhttp_access allow a\n", ""},
	// Interception.
	{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 192.0.2.9\n", ""},
	{head + closed + "http_port 80 transparent\n", ""},
	{head + closed + "wccp2_service standard 0\n", ""},
	{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 1.2.3.4\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\n" +
		"wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80\n", "10:1 wccp-pairing"},
	{head + closed + "http_port 80 transparent\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\n" +
		"wccp2_service_info 80 protocol=tcp flags=dst_ip_hash priority=240 ports=80\n", ""}, // no tproxy: no way back needed
	{head + closed + "http_port 80 tproxy\ntcp_outgoing_address 1.2.3.4\nwccp2_router 1.2.3.4\nwccp2_service dynamic 80\nwccp2_service dynamic 90\n" +
		"wccp2_service_info 80 protocol=tcp flags=src_ip_hash,source_port_hash priority=240 ports=80\n" +
		"wccp2_service_info 90 protocol=tcp flags=dst_ip_hash,dst_port_hash,ports_source priority=240 ports=80\n", ""},
	// refresh_pattern: the first that matches counts.
	{head + closed + "refresh_pattern ^ftp: 1440 20% 10080\nrefresh_pattern . 0 20% 4320\n", ""},
	{head + closed + "refresh_pattern \\.gif$ 0 20% 1\nrefresh_pattern \\.gif$ 1 20% 2\n", "7:1 refresh-shadowed"},
	{head + closed + "refresh_pattern \\.GIF$ 0 20% 1\nrefresh_pattern -i \\.gif$ 1 20% 2\n", ""},
	{head + closed + "refresh_pattern ^http://a 0 20% 1\nrefresh_pattern ^http://ab 1 20% 2\n", "7:1 refresh-shadowed"},
	{head + closed + "refresh_pattern ^http://ab 0 20% 1\nrefresh_pattern ^http://a 1 20% 2\n", ""},
	{head + closed + "refresh_pattern gif 0 20% 1\nrefresh_pattern ^http://x/gif 1 20% 2\n", "7:1 refresh-shadowed"},
	{head + closed + "refresh_pattern \\.(gif|png)$ 0 20% 1\nrefresh_pattern \\.gif$ 1 20% 2\n", "7:1 refresh-shadowed"},
	{head + closed + "refresh_pattern -i (/cgi-bin/|\\?) 0 0% 0\nrefresh_pattern \\.(gif|png)$ 0 20% 1\nrefresh_pattern . 0 20% 4320\n", ""},
	{head + closed + "refresh_pattern \\.(gif|png)$ 0 20% 1\nrefresh_pattern \\.(gif|jpg)$ 1 20% 2\n", ""},
	{head + closed + "refresh_pattern -i \\.(gif|png|jpg)$ 0 20% 1\nrefresh_pattern -i \\.(jpg|gif)$ 1 20% 2\n", "7:1 refresh-shadowed"},
	// Domains.
	{head + closed + "acl d dstdomain .a.com .b.com\nhttp_access deny lan d\n", "7:1 access-shadowed"},
	{head + closed + "acl d dstdomain a.com www.a.com\ncache deny d\n", ""},
	// Peers.
	{head + closed + "cache_peer p parent 80 0\ncache_peer_access p allow lan\ncache_peer_access p deny all\n", ""},
	{head + closed + "cache_peer p parent 80 0\nacl none src\ncache_peer_access p allow none\ncache_peer_access p deny all\n", "6:1 peer-unreachable,7:5 acl-empty"},
	// Regular expressions.
	{head + closed + "acl r url_regex ^http://a.*?b\ncache deny r\n", "6:17 regex-dialect"},
	{head + closed + "acl r url_regex \\.exe$ (a|b)+ \\w\ncache deny r\n", ""},
	{head + closed + "refresh_pattern \\d 0 20% 1\n", "6:17 regex-dialect"},
	// Verbs, units and switches.
	{head + "acl lan src 10.0.0.0/8\nhttp_access alow lan\nhttp_access deny all\n", "3:5 acl-unused,4:13 access-skipped"},
	{head + closed + "cache_mem 8 MB\nconnect_timeout 30 seconds\nread_timeout 0\n", ""},
	{head + closed + "half_closed_clients true\nclient_db 1\n", "6:21 switch-reads-off,7:11 switch-reads-off"},
	{head + closed + "via ON\nforwarded_for off\nclient_db enable\n", ""},
	{head + closed + "http_port 3129\nacl m src 1.2.3.4\nacl m src 1.2.3.5\ncache deny m\nrefresh_pattern ^a 1 2% 3\nrefresh_pattern ^b 1 2% 3\n", ""}, // lists may be repeated
	{head + closed + "access_log syslog:daemon.info squid\naccess_log /l\n", ""},
	{head + closed + "access_log daemon:/l squid\n", "6:12 log-module"},
	// A number without its unit.
	{head + closed + "negative_ttl 5\n", "6:14 unit-missing"},
}

func TestLint(t *testing.T) {
	for _, c := range lintCases {
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

// worldWithout is a machine on which some paths are missing.
type worldWithout struct {
	oracleWorld
	missing []string
}

func (w worldWithout) Stat(path string) error {
	if slices.Contains(w.missing, path) {
		return syscall.ENOENT
	}
	return nil
}

// TestMissingPrograms: every program, table and folder a file names is looked for,
// and only those; the warning stands at the line that names it.
func TestMissingPrograms(t *testing.T) {
	const text = head + "http_access deny all\n" +
		"auth_param basic program /p/ncsa_auth /p/passwd\n" +
		"external_acl_type e %SRC /p/check\n" +
		"url_rewrite_program /p/rewrite -x\n" +
		"location_rewrite_program /p/location\n" +
		"cache_dir ufs /p/cache 100 16 256\n" +
		"error_directory /p/errors\n" +
		"mime_table /p/mime\n"
	paths := map[string]int{"/p/ncsa_auth": 4, "/p/check": 5, "/p/rewrite": 6, "/p/location": 7, "/p/cache": 8, "/p/errors": 9, "/p/mime": 10}
	load := func(missing ...string) *Report {
		_, report := LoadText("squid.conf", []byte(text), Options{Lint: true, World: worldWithout{oracle(t), missing}})
		return report
	}
	if r := load("/p/passwd"); len(r.Diagnostics) != 0 || len(r.Missing) != 0 {
		t.Errorf("everything is there, and yet: %+v", r.Diagnostics)
	}
	for path, line := range paths {
		r := load(path)
		if len(r.Diagnostics) != 1 || r.Diagnostics[0].Check != "missing" || r.Diagnostics[0].Pos.Line != line || len(r.Missing) != 1 || !r.Accepted() {
			t.Errorf("%s is missing, line %d; exit %d, %+v", path, line, r.Exit, r.Diagnostics)
		}
	}
	if r := load("/p/ncsa_auth"); !strings.Contains(r.Diagnostics[0].Detail, "basic_ncsa_auth") {
		t.Errorf("the successor of ncsa_auth is not named: %+v", r.Diagnostics)
	}
}

// TestLintOfRecordings: among the files of the world that 2.6 accepts, few have
// nothing said about them; a check that fires on most of them is a false alarm.
func TestLintOfRecordings(t *testing.T) {
	w := newOracleWorld(t, "real")
	files, by := 0, map[string]int{}
	for _, rec := range readRecordings(t) {
		if rec.group != "real" || rec.Exit != 0 {
			continue
		}
		files++
		_, report := LoadText("squid.conf", latin1(rec.Conf), Options{World: w, Lint: true})
		seen := map[string]bool{}
		for _, d := range report.Diagnostics {
			if !seen[d.Check] {
				by[d.Check]++
			}
			seen[d.Check] = true
		}
	}
	for check, n := range by {
		if n*2 > files {
			t.Errorf("%s fires on %d of %d files", check, n, files)
		}
	}
	t.Logf("%d files: %v", files, by)
}
