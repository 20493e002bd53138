package forward

import (
	"bufio"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// users takes what squid.conf says about users, helpers and access from its text; DIR is
// the test's folder.
func users(t testing.TB, text string) func(*conf.Config) {
	return func(c *conf.Config) {
		dir := filepath.Dir(c.AccessLogs[0].Path)
		file := filepath.Join(dir, "squid.conf")
		text := "http_port 127.0.0.1:3128\nvisible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\n" + strings.ReplaceAll(text, "DIR", dir)
		os.WriteFile(file, []byte(text), 0o600)
		from, report := conf.Load(file, conf.Options{})
		if from == nil {
			t.Fatal(report.Lines)
		}
		c.AuthSettings, c.HelperSettings, c.ACLs, c.ExternalACLTypes = from.AuthSettings, from.HelperSettings, from.ACLs, from.ExternalACLTypes
		c.HTTPAccess, c.HTTPAccess2, c.Peers, c.NeverDirect = from.HTTPAccess, from.HTTPAccess2, from.Peers, from.NeverDirect
		c.URLRewriteAccess, c.Squid27Settings = from.URLRewriteAccess, from.Squid27Settings
		c.StoreURLRewriteProgram, c.StoreURLRewriteChildren = from.StoreURLRewriteProgram, from.StoreURLRewriteChildren
	}
}

// helperScript writes a shell script that answers lines; SAY is its body, with the line in $l.
func helperScript(t testing.TB, say string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "helper.sh")
	os.WriteFile(file, []byte("while IFS= read -r l; do "+say+"; done\n"), 0o600)
	return "/bin/sh " + file
}

// telling is an origin that tells what it was asked.
func telling(t testing.TB) string {
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head := ""
			for !strings.HasSuffix(head, "\r\n\r\n") {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				head += line
			}
			body := strings.ReplaceAll(strings.TrimSpace(head), "\r\n", "|")
			fmt.Fprintf(c, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%s", len(body), body)
		}
	})
}

func basicField(login string) string {
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login)) + "\r\n"
}

const authOnly = "acl u proxy_auth REQUIRED\nhttp_access allow u\nhttp_access deny all\n"

// Two clients on connections of their own, and one connection with two users one after the
// other: nobody is taken for somebody else, in the log neither.
func TestUsersDoNotMix(t *testing.T) {
	origin := telling(t)
	r := start(t, nil, users(t, "auth_param basic program "+helperScript(t, `case "$l" in eve*) echo ERR;; *) echo OK;; esac`)+"\nauth_param basic children 3\n"+authOnly))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := r.dial()
			defer c.Close()
			in := bufio.NewReader(c)
			for j := range 5 {
				fmt.Fprintf(c, "GET http://%s/u%d-%d HTTP/1.0\r\nProxy-Connection: keep-alive\r\n%s\r\n", origin, i, j, basicField(fmt.Sprintf("u%d-%d:x", i, j)))
				length, status := 0, ""
				for line := "x"; line != "\r\n"; {
					var err error
					if line, err = in.ReadString('\n'); err != nil {
						t.Error(err)
						return
					}
					if status == "" {
						status = line
					}
					fmt.Sscanf(line, "Content-Length: %d", &length)
				}
				body := make([]byte, length)
				for n := 0; n < length; {
					m, err := in.Read(body[n:])
					if err != nil {
						t.Error(err)
						return
					}
					n += m
				}
				if !strings.Contains(status, " 200 ") || strings.Contains(string(body), "uthorization") {
					t.Errorf("%q %q", status, body)
				}
			}
		})
	}
	wg.Wait()
	if got := r.exchange("GET http://" + origin + "/eve HTTP/1.0\r\n" + basicField("eve:x") + "\r\n"); !strings.Contains(got, "407") {
		t.Errorf("%.100q", got)
	}
	if got := r.exchange("GET http://" + origin + "/nobody HTTP/1.0\r\n\r\n"); !strings.Contains(got, "407") {
		t.Errorf("%.100q", got)
	}
	for _, line := range r.log(42) {
		f := strings.Fields(line)
		path, user := f[6][strings.LastIndexByte(f[6], '/')+1:], f[7]
		if path != user && (path != "nobody" || user != "-") {
			t.Errorf("logged %q", line)
		}
	}
}

// A name with line ends and blanks breaks neither the helper's line, nor the log, nor a header.
func TestHostileNames(t *testing.T) {
	origin := telling(t)
	r := start(t, nil, users(t, "auth_param basic program "+helperScript(t, "echo OK")+"\nauth_param basic children 1\ncache_peer 127.0.0.1 parent "+origin[strings.IndexByte(origin, ':')+1:]+
		" 0 no-query no-digest login=*:pw\nnever_direct allow all\n"+authOnly))
	for i, login := range []string{"a b\t:x", "\x01\x7f:x", "a%0d%0ab:x", `"'\<>:x`, "a\r\nX: y:x"} {
		got := r.exchange("GET http://origin.test/ HTTP/1.0\r\n" + basicField(login) + "\r\n")
		name, _, _ := strings.Cut(login, ":")
		want := "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(strings.ToLower(name)+":pw")) + "|"
		if strings.Contains(login, "\n") {
			want = " 407 "
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", login, got, want)
		}
		if line := r.log(i + 1)[i]; len(strings.Fields(line)) != 10 {
			t.Errorf("logged %q", line)
		}
	}
}

// What an external ACL says: who is let in, what a peer with login=PASS is told, what the log
// shows, and a page.
func TestExternalACL(t *testing.T) {
	origin := telling(t)
	_, port, _ := net.SplitHostPort(origin)
	r := start(t, nil, users(t, "external_acl_type e children=1 %PATH "+helperScript(t, `case "$l" in /no) echo ERR;; *) echo "OK user=zoe password=zpw";; esac`)+
		"\nacl e external e\nhttp_access allow e\nhttp_access deny all\ncache_peer 127.0.0.1 parent "+port+" 0 no-query no-digest login=PASS\nnever_direct allow all\n"))
	if got := r.exchange("GET http://origin.test/yes HTTP/1.0\r\n\r\n"); !strings.Contains(got, "|Proxy-Authorization: Basic em9lOnpwdw==") {
		t.Error(got)
	}
	if got := r.exchange("GET http://origin.test/yes HTTP/1.0\r\n" + basicField("own:x") + "\r\n"); !strings.Contains(got, "|Proxy-Authorization: Basic b3duOng=|") || strings.Contains(got, "em9l") {
		t.Error(got)
	}
	if got := r.exchange("GET http://origin.test/no HTTP/1.0\r\n\r\n"); !strings.Contains(got, " 403 ") {
		t.Error(got)
	}
	if lines := r.log(3); !strings.Contains(lines[0], " zoe ") || !strings.Contains(lines[2], "TCP_DENIED/403") || !strings.Contains(lines[2], " - ") {
		t.Errorf("%q", lines)
	}
}

// What this release cannot find out, an ACL or what a helper is told, is named at the start.
func TestUnknownIsNamed(t *testing.T) {
	core, seen := observer.New(zap.WarnLevel)
	startLogged(t, zap.New(core), users(t, "external_acl_type e children=1 %PATH %USER_CERT_CN %CA_CERT_O /bin/cat\nacl e external e\n"+
		"acl c user_cert CN somebody\nhttp_access deny c\nhttp_access allow e\n"))
	var named []string
	for _, entry := range seen.FilterMessageSnippet("cannot find out").All() {
		for _, field := range entry.Context {
			named = append(named, field.String)
		}
	}
	if want := []string{"c (user_cert)", "e", "USER_CERT_CN", "e", "CA_CERT_O"}; !slices.Equal(named, want) {
		t.Errorf("%q, want %q", named, want)
	}
}

// A rewriter that is not there lets nothing pass; one that speaks the newer dialect is
// understood.
func TestRewriters(t *testing.T) {
	origin := telling(t)
	for name, c := range map[string]struct{ say, want string }{
		"gone":       {"exit", " 503 "},
		"blocks":     {"echo 'OK status=302 url=\"http://block.test/\"'", "Location: http://block.test/\r\n"},
		"rewrites":   {"echo 'OK rewrite-url=\"http://" + origin + "/other\"'", "GET /other HTTP/1.0|"},
		"has no say": {"echo ERR", "GET /a HTTP/1.0|"},
		"2.6":        {"echo 301:http://block.test/", "HTTP/1.0 301 Moved Permanently\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil, users(t, "url_rewrite_program "+helperScript(t, c.say)+"\nurl_rewrite_children 1\nhttp_access allow all\n"))
			if got := r.exchange("GET http://" + origin + "/a HTTP/1.0\r\n\r\n"); !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What a rewriter would send elsewhere is purged, traced and looked for in the store by
// its own URL: 2.6 does these first.
func TestRedirectsComeBehindWhatEndsHere(t *testing.T) {
	r := start(t, nil, users(t, "url_rewrite_program "+helperScript(t, "echo 302:http://elsewhere.test/")+
		"\nurl_rewrite_children 1\nacl purge method PURGE\nhttp_access allow purge\nhttp_access allow all\n"))
	for request, want := range map[string]string{
		"GET http://origin.test/ HTTP/1.0\r\n\r\n":                                  " 302 ",
		"GET http://origin.test/ HTTP/1.0\r\nCache-Control: only-if-cached\r\n\r\n": " 504 ",
		"PURGE http://origin.test/ HTTP/1.0\r\n\r\n":                                " 404 ",
		"TRACE http://origin.test/ HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n":             " 200 ",
		"TRACE http://origin.test/ HTTP/1.0\r\nMax-Forwards: 1\r\n\r\n":             " 302 ",
	} {
		if got := r.exchange(request); !strings.Contains(got[:min(len(got), 20)], want) {
			t.Errorf("%q: %q, want %q", request, got, want)
		}
	}
}

// A rewriter that gives the URL back vouches for nothing: the host name an intercepted
// client claims is still looked at.
func TestRewriterThatChangesNothing(t *testing.T) {
	dst := netip.MustParseAddrPort(telling(t))
	echo := users(t, "url_rewrite_program "+helperScript(t, `echo "$l"`)+"\nurl_rewrite_children 1\nhttp_access allow all\n")
	r := start(t, loopback{dst: dst}, echo, func(cfg *conf.Config) {
		cfg.HTTPPorts[0].Transparent, cfg.HostVerify, cfg.HostVerifyStrict = true, true, true
	})
	if got := r.exchange("GET /a HTTP/1.0\r\nHost: 127.0.0.2\r\n\r\n"); !strings.Contains(got, " 409 ") {
		t.Errorf("%q", got)
	}
}

// Objects are kept under the URL that storeurl_rewrite_program gives, and fetched by their own.
func TestStoreURL(t *testing.T) {
	var fetched atomic.Int64
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for line := "x"; line != "\r\n"; {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				return
			}
		}
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\nDate: %s\r\nCache-Control: max-age=1000\r\nContent-Length: 1\r\n\r\n%d", time.Now().UTC().Format(http.TimeFormat), fetched.Add(1))
	})
	r := start(t, nil, users(t, "storeurl_rewrite_program "+helperScript(t, `case "$l" in *same*) echo http://store.key/one;; *) echo;; esac`)+
		"\nstoreurl_rewrite_children 1\nacl purge method PURGE\nhttp_access allow purge\nhttp_access allow all\n"), func(c *conf.Config) {
		c.CacheMem, c.MaximumObjectSizeInMemory, c.MaximumObjectSize = 8<<20, 1<<20, 4<<20
	})
	got := ""
	for _, path := range strings.Fields("/same?1 /same?2 /other?1 /other?2 /same?3 /other?1") {
		answer := r.exchange("GET http://" + origin + path + " HTTP/1.0\r\n\r\n")
		got += answer[len(answer)-1:]
	}
	if got != "112312" {
		t.Errorf("%s, want 112312; log %q", got, r.log(6))
	}
	// PURGE and an unsafe request reach what is kept under that URL.
	for _, method := range []string{"PURGE", "POST"} {
		r.exchange(method + " http://" + origin + "/same?9 HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
		before := fetched.Load()
		r.exchange("GET http://" + origin + "/same?1 HTTP/1.0\r\n\r\n")
		if fetched.Load() != before+1 {
			t.Errorf("%s left it there", method)
		}
	}
}

// Debian's helpers and curl judge: the programs their owners have work unchanged.
func TestRealPrograms(t *testing.T) {
	const programs = "/usr/lib/squid/"
	for _, p := range []string{programs + "basic_ncsa_auth", programs + "digest_file_auth", programs + "ntlm_fake_auth", programs + "ext_file_userip_acl", "/usr/bin/curl"} {
		if _, err := os.Stat(p); err != nil {
			t.Skip(err)
		}
	}
	origin := telling(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		os.WriteFile(file, []byte(text), 0o600)
		return file
	}
	const realm = "the realm"
	hashed, err := exec.Command("openssl", "passwd", "-apr1", "secret").Output()
	if err != nil {
		t.Fatal(err)
	}
	ncsa := write("ncsa", "bob:"+string(hashed))
	digest := write("digest", fmt.Sprintf("bob:%s:%x\n", realm, md5.Sum([]byte("bob:"+realm+":secret"))))
	userip := write("userip", "127.0.0.1/255.255.255.255 bob\n")
	for name, c := range map[string]struct {
		lines, option, user string
	}{
		"basic":    {"auth_param basic program " + programs + "basic_ncsa_auth " + ncsa + "\nauth_param basic children 1\n" + authOnly, "--proxy-basic", "bob"},
		"digest":   {"auth_param digest program " + programs + "digest_file_auth -c " + digest + "\nauth_param digest children 1\nauth_param digest realm " + realm + "\n" + authOnly, "--proxy-digest", "bob"},
		"ntlm":     {"auth_param ntlm program " + programs + "ntlm_fake_auth\nauth_param ntlm children 1\n" + authOnly, "--proxy-ntlm", "bob"},
		"external": {"auth_param basic program " + programs + "basic_ncsa_auth " + ncsa + "\nauth_param basic children 1\nexternal_acl_type ip children=1 %SRC %LOGIN " + programs + "ext_file_userip_acl -f " + userip + "\nacl ip external ip\nhttp_access allow ip\nhttp_access deny all\n", "--proxy-basic", "bob"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil, users(t, c.lines))
			curl := func(password string) string {
				out, _ := exec.Command("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-x", "http://"+r.addr, c.option, "-U", "bob:"+password, "http://"+origin+"/").CombinedOutput()
				return string(out)
			}
			if got := curl("secret"); got != "200" {
				t.Errorf("the right password: %s; log %q", got, r.log(1))
			}
			if got := curl("wrong"); got != "407" && name != "ntlm" { // the fake one knows no wrong password
				t.Errorf("a wrong password: %s", got)
			}
			if lines := strings.Join(r.log(2), "\n"); !strings.Contains(strings.ToLower(lines), "/200") || !strings.Contains(strings.ToLower(lines), c.user) {
				t.Errorf("%q", lines)
			}
		})
	}
}
