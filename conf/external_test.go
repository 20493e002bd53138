package conf

import (
	"fmt"
	"strings"
	"testing"
)

// TestExternal: what a file refers to outside itself, each with its kind, its
// directive and the line it stands in, 0 where no place is kept.
func TestExternal(t *testing.T) {
	cfg, report := loadText(t, head+strings.Join([]string{
		`http_port 127.0.0.1:8080`, // line 3
		`https_port 443 cert=/tls/cert key=/tls/key clientca=/tls/ca cafile=/tls/all capath=/tls crlfile=/tls/gone dhparams=/tls/dh vhost`,
		`icp_port 0`,
		`udp_incoming_address 192.0.2.1`,
		`acl hosts dstdomain "lists/domains.txt" "lists/nosuch"`,
		`access_log /log/access squid`,
		`access_log syslog:daemon.info squid`,
		`access_log none`,
		`cache_store_log none`,
		`useragent_log /log/agents`,
		`cache_dir ufs /cache/ufs 10 1 2`,
		`cache_dir coss /cache/coss 10 max-size=1000`,
		`cache_dir null /tmp`,
		`chroot /jail`,
		`url_rewrite_program /bin/rewrite -x "a b"`,
		`auth_param basic program /bin/auth /etc/passwd`,
		`external_acl_type e %SRC /bin/check`,
		`mail_program /bin/mail -s x`,
		`cache_effective_user proxy`,
		`cache_effective_group nogroup`,
		`cache_peer one.oracle.test parent 80 0`,
		`dns_nameservers 192.0.2.53`,
	}, "\n")+"\n")
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	var got strings.Builder
	for _, ref := range cfg.External() {
		if ref.Addr.IsValid() && ref.Addr.String() != ref.Name {
			t.Errorf("%s is at %v", ref.Name, ref.Addr)
		}
		if strings.HasPrefix(ref.Name, "/usr/") || ref.Directive == "mime_table" {
			continue // what the build puts there
		}
		fmt.Fprintf(&got, "%d %s: %s %s\n", ref.Pos.Line, ref.Directive, ref.Kind, ref.Name)
	}
	const want = `2 http_port: TCP port to listen on 0.0.0.0:3128
3 http_port: TCP port to listen on 127.0.0.1:8080
4 https_port: TCP port to listen on 0.0.0.0:443
0 htcp_port: UDP port to listen on 192.0.2.1:4827
0 snmp_port: UDP port to listen on 0.0.0.0:3401
4 https_port: file to read /tls/cert
4 https_port: file to read /tls/key
4 https_port: file to read /tls/ca
4 https_port: file to read /tls/all
4 https_port: file to read /tls/gone
4 https_port: file to read /tls/dh
4 https_port: folder /tls
7 acl: file to read lists/domains.txt
8 access_log: file to write /log/access
13 cache_dir: folder /cache/ufs
14 cache_dir: file to write /cache/coss
0 cache_log: file to write /var/log/squid/cache.log
0 useragent_log: file to write /log/agents
0 pid_filename: file to write /var/run/squid.pid
0 chroot: folder /jail
0 hosts_file: file to read /etc/hosts
0 url_rewrite_program: program /bin/rewrite
18 auth_param: program /bin/auth
19 external_acl_type: program /bin/check
0 mail_program: program /bin/mail
0 cache_effective_user: user proxy
0 cache_effective_group: group nogroup
23 cache_peer: host name one.oracle.test
0 dns_nameservers: host name 192.0.2.53
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
