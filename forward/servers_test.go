package forward

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// The helpers that ask a server, with the real server on loopback, and those that judge by
// a database of their own. Each case is skipped where its programs are not installed.

const squidPrograms = "/usr/lib/squid/"

// needed skips a test whose programs are not there.
func needed(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(err)
		}
	}
}

// tools is a folder for the files of a server.
type tools struct {
	t   *testing.T
	dir string
}

func newTools(t *testing.T) *tools {
	dir, err := os.MkdirTemp("", "cuttle") // sockets in it need a short name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &tools{t, dir}
}

// write writes a file in which DIR stands for the folder.
func (s *tools) write(name, text string) string {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	os.MkdirAll(filepath.Dir(file), 0o700)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "DIR", s.dir)), 0o700); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// run runs a command to its end.
func (s *tools) run(argv ...string) {
	s.t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// serve runs a server until the test ends, and waits until ready holds.
func (s *tools) serve(ready func() bool, argv ...string) {
	s.t.Helper()
	out := filepath.Join(s.dir, "server.out")
	f, _ := os.Create(out)
	defer f.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = f, f, s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	s.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	for end := time.Now().Add(30 * time.Second); !ready(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			end = time.Time{}
		default:
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(out)
			s.t.Fatalf("%v does not serve:\n%s", argv, text)
		}
	}
}

// freePort is a port of 127.0.0.1 nobody has, in TCP and UDP, nor gets by chance: it is
// below those the system chooses from, the tests of other packages have others, and each
// is given once.
func freePort(t *testing.T) string {
	for range 3000 {
		port := strconv.Itoa(14000 + int(lastPort.Add(1)%3000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l.Close()
		if p, err := net.ListenPacket("udp", "127.0.0.1:"+port); err == nil {
			p.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32N(3000)) } // two runs at once begin elsewhere

// listens is ready once something accepts at a port.
func listens(port string) func() bool {
	return func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
}

// logins asks for an object as bob with the right password, with a wrong one, and as
// nobody, and wants 200, 407 and 407.
func logins(t *testing.T, lines string) {
	t.Helper()
	origin := telling(t)
	r := start(t, nil, users(t, lines))
	for _, c := range []struct{ fields, want string }{{basicField("bob:secret"), " 200 "}, {basicField("bob:wrong"), " 407 "}, {basicField("eve:secret"), " 407 "}, {"", " 407 "}} {
		if got := r.exchange("GET http://" + origin + "/ HTTP/1.0\r\n" + c.fields + "\r\n"); !strings.Contains(got[:min(len(got), 40)], c.want) {
			t.Errorf("%q: %.60q, want%s", c.fields, got, c.want)
		}
	}
	if line := r.log(4)[0]; strings.Fields(line)[7] != "bob" {
		t.Errorf("logged %q", line)
	}
}

// basic_getpwnam_auth knows the users of the host: here those of a mount namespace of its own.
func TestGetpwnam(t *testing.T) {
	needed(t, squidPrograms+"basic_getpwnam_auth", "unshare", "openssl")
	if os.Geteuid() != 0 {
		t.Skip("a mount namespace needs root")
	}
	s := newTools(t)
	hashed, err := exec.Command("openssl", "passwd", "-6", "secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	s.write("passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1234:1234::/:/bin/false\n")
	s.write("shadow", "root:*:1::::::\nbob:"+strings.TrimSpace(string(hashed))+":19000:0:99999:7:::\n")
	s.write("helper.sh", "mount --bind DIR/passwd /etc/passwd && mount --bind DIR/shadow /etc/shadow && exec "+squidPrograms+"basic_getpwnam_auth\n")
	logins(t, "auth_param basic program /usr/bin/unshare -m /bin/sh "+s.dir+"/helper.sh\nauth_param basic children 1\n"+authOnly)
}

func TestLDAP(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	needed(t, squidPrograms+"basic_ldap_auth", "slapd", "slapadd")
	s, port := newTools(t), freePort(t)
	os.Mkdir(filepath.Join(s.dir, "db"), 0o700)
	s.write("slapd.conf", "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n"+
		"modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile DIR/pid\ndatabase mdb\nmaxsize 10485760\nsuffix \"dc=test\"\nrootdn \"cn=admin,dc=test\"\nrootpw x\ndirectory DIR/db\n")
	s.write("data.ldif", "dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\no: test\ndc: test\n\n"+
		"dn: uid=bob,dc=test\nobjectClass: inetOrgPerson\nuid: bob\ncn: bob\nsn: bob\nuserPassword: secret\n")
	s.run("slapadd", "-f", s.dir+"/slapd.conf", "-l", s.dir+"/data.ldif")
	s.serve(listens(port), "slapd", "-d", "0", "-f", s.dir+"/slapd.conf", "-h", "ldap://127.0.0.1:"+port)
	logins(t, "auth_param basic program "+squidPrograms+"basic_ldap_auth -v 3 -b dc=test -f uid=%s -h 127.0.0.1 -p "+port+"\nauth_param basic children 1\n"+authOnly)
}

func TestRADIUS(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	needed(t, squidPrograms+"basic_radius_auth", "freeradius")
	s, port := newTools(t), freePort(t)
	s.write("radiusd.conf", `name = freeradius
libdir = /usr/lib/freeradius
logdir = DIR
run_dir = DIR
log {
	destination = stdout
}
security {
	status_server = no
}
client loopback {
	ipaddr = 127.0.0.1
	secret = shared
}
modules {
	pap {
	}
	files {
		usersfile = DIR/users
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = `+port+`
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
}
`)
	s.write("users", "bob Cleartext-Password := \"secret\"\n")
	s.serve(func() bool {
		text, _ := os.ReadFile(s.dir + "/server.out")
		return strings.Contains(string(text), "Ready to process requests")
	}, "freeradius", "-f", "-X", "-d", s.dir)
	logins(t, "auth_param basic program "+squidPrograms+"basic_radius_auth -h 127.0.0.1 -p "+port+" -w shared\nauth_param basic children 1\n"+authOnly)
}

func TestKerberos(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	needed(t, squidPrograms+"negotiate_kerberos_auth", "krb5kdc", "kadmin.local", "kdb5_util", "kinit", "curl")
	s, port := newTools(t), freePort(t)
	s.write("krb5.conf", "[libdefaults]\ndefault_realm = TEST\ndns_lookup_kdc = false\ndns_lookup_realm = false\ndns_canonicalize_hostname = false\nrdns = false\nudp_preference_limit = 1\n"+
		"[realms]\nTEST = {\nkdc = 127.0.0.1:"+port+"\n}\n[domain_realm]\nproxy.test = TEST\n")
	s.write("kdc.conf", "[realms]\nTEST = {\ndatabase_name = DIR/principal\nkey_stash_file = DIR/stash\nacl_file = DIR/acl\nkdc_listen = 127.0.0.1:"+port+"\nkdc_tcp_listen = 127.0.0.1:"+port+"\n}\n")
	for k, v := range map[string]string{"KRB5_CONFIG": "krb5.conf", "KRB5_KDC_PROFILE": "kdc.conf", "KRB5CCNAME": "tickets", "KRB5_KTNAME": "keytab"} {
		t.Setenv(k, filepath.Join(s.dir, v))
	}
	t.Setenv("KRB5RCACHENAME", "none:")
	s.run("kdb5_util", "create", "-s", "-r", "TEST", "-P", "master")
	s.run("kadmin.local", "-r", "TEST", "-q", "addprinc -pw secret bob")
	s.run("kadmin.local", "-r", "TEST", "-q", "addprinc -randkey HTTP/proxy.test")
	s.run("kadmin.local", "-r", "TEST", "-q", "ktadd -k "+s.dir+"/keytab HTTP/proxy.test")
	s.serve(listens(port), "krb5kdc", "-n", "-r", "TEST", "-P", s.dir+"/pid")
	s.run("/bin/sh", "-c", "echo secret | kinit bob@TEST")
	origin := telling(t)
	r := start(t, nil, users(t, "auth_param negotiate program "+squidPrograms+"negotiate_kerberos_auth -s HTTP/proxy.test@TEST\nauth_param negotiate children 1\n"+authOnly))
	_, at, _ := net.SplitHostPort(r.addr)
	curl := func() string {
		out, _ := exec.Command("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", "proxy.test:"+at+":127.0.0.1",
			"-x", "http://proxy.test:"+at, "--proxy-negotiate", "-U", ":", "http://"+origin+"/").Output()
		return string(out)
	}
	if got := curl(); got != "200" {
		t.Errorf("with a ticket: %s; log %q", got, r.log(1))
	}
	os.Remove(s.dir + "/tickets")
	if got := curl(); got != "407" {
		t.Errorf("without one: %s", got)
	}
	if all := strings.Join(r.log(2), "\n"); !strings.Contains(all, " bob@TEST ") {
		t.Errorf("logged %q", all)
	}
}

// mended makes ext_session_acl of Squid 5.7 open its database for writing: it asks its
// library for reading and a new file, which no file system has, and ends, under Debian's
// own squid as well.
const mended = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
void *tdb_open(const char *name, int size, int flags, int how, int mode) {
	void *(*real)(const char *, int, int, int, int) = dlsym(RTLD_NEXT, "tdb_open");
	return real(name, size, flags, how | O_RDWR, mode);
}
`

// ext_session_acl refuses the first request of a client and knows it from then on; as it
// is shipped it ends at once, and everybody is refused. ext_wbinfo_group_acl says no
// without a winbindd, and nothing waits for it.
func TestExternalPrograms(t *testing.T) {
	needed(t, "gcc", squidPrograms+"ext_session_acl", squidPrograms+"ext_wbinfo_group_acl", squidPrograms+"basic_fake_auth", "wbinfo", "perl")
	origin := telling(t)
	s := newTools(t)
	s.write("mended.c", mended)
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", s.dir+"/mended.so", s.dir+"/mended.c").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const known = "acl known external session\nhttp_access allow known\nhttp_access deny all\n"
	session := squidPrograms + "ext_session_acl -t 60 -b " + s.dir
	for name, c := range map[string]struct{ lines, want, or string }{
		"session": {"external_acl_type session ttl=0 negative_ttl=0 children=1 concurrency=10 %SRC /usr/bin/env LD_PRELOAD=" + s.dir + "/mended.so " + session + "/mended\n" + known,
			"403 200 200", "403 200 200"}, // a second after: an answer is good for the rest of its second, as in 2.6
		"session as shipped": {"external_acl_type session ttl=0 negative_ttl=0 children=1 concurrency=10 %SRC " + session + "/shipped\n" + known, "403 403 403", "403 200 200"},
		"wbinfo": {"auth_param basic program " + squidPrograms + "basic_fake_auth\nauth_param basic children 1\nexternal_acl_type group children=1 %LOGIN " + squidPrograms + "ext_wbinfo_group_acl\n" +
			"acl staff external group staff\nhttp_access allow staff\nhttp_access deny all\n", "403 403 403", "407 407 407"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil, users(t, c.lines))
			var got []string
			ask := func() string {
				reply := r.exchange("GET http://" + origin + "/ HTTP/1.0\r\n" + basicField("bob:x") + "\r\n")
				return strings.Fields(reply + " - -")[1]
			}
			for range 3 {
				code := ask()
				for end := time.Now().Add(30 * time.Second); len(got) == 1 && code == "403" && strings.HasPrefix(c.want, "403 200") && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
					code = ask()
				}
				got = append(got, code)
			}
			if got := strings.Join(got, " "); got != c.want && got != c.or {
				t.Errorf("%s, want %s or %s", got, c.want, c.or)
			}
		})
	}
}

// squidGuard answers in the newer dialect, from a list of its own.
func TestSquidGuard(t *testing.T) {
	needed(t, "squidGuard")
	origin := telling(t)
	s := newTools(t)
	var list strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&list, "bad%d.test\n", i)
	}
	s.write("db/bad/domains", list.String())
	s.write("squidGuard.conf", "dbhome DIR/db\nlogdir DIR\ndest bad {\n\tdomainlist bad/domains\n}\nacl {\n\tdefault {\n\t\tpass !bad all\n\t\tredirect http://"+origin+"/blocked\n\t}\n}\n")
	r := start(t, nil, users(t, "url_rewrite_program /usr/bin/squidGuard -c "+s.dir+"/squidGuard.conf\nurl_rewrite_children 1\nhttp_access allow all\n"), func(c *conf.Config) { c.URLRewriteHostHeader = true })
	for url, want := range map[string]string{"http://" + origin + "/free": "GET /free ", "http://bad7.test/": "GET /blocked ", "http://www.bad4999.test/x": "GET /blocked "} {
		if got := r.exchange("GET " + url + " HTTP/1.0\r\n\r\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %.200q, want %q", url, got, want)
		}
	}
}
