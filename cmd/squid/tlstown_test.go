package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const tlsLines = `http_port 80 transparent tproxy
https_port 443 transparent tproxy
acl CONNECT method CONNECT
acl refused dstdomain refused.example
http_access deny CONNECT refused
`

const tlsTownLines = tlsLines + `wccp2_router 10.66.0.1
wccp2_router fd66::1
wccp2_service dynamic 80
wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80,443
wccp2_service dynamic 90
wccp2_service_info 90 protocol=tcp flags=dst_ip_hash,ports_source priority=240 ports=80,443
wccp2_shutdown_wait 1 second
`

// side is a family's subscriber, origins and name.
type side struct {
	*street
	authority               *authority
	client, nginx, goServer string
	name, uploadName        string
	lines                   *int // of access.log that logged has shown
}

func (s *street) sides(a *authority) map[string]side {
	return map[string]side{
		"IPv4": {s, a, streetClient4, streetOrigin4, uploads4, "four.example", "up4.example", new(int)},
		"IPv6": {s, a, streetClient6, streetOrigin6, uploads6, "six.example", "up6.example", new(int)},
	}
}

// Port 443 of a subscriber: every client gets what the origin sent, to the octet, the
// origin sees the subscriber, and access.log tells who was connected to what.
func TestTLSOfEveryClient(t *testing.T) {
	if os.Getenv("CUTTLE_FULL") != "" {
		throughWCCP(t)
		return
	}
	s := newStreet(t)
	s.configure(tlsLines)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a := s.serveTLS()
	s.hosts(uploads4+" up4.example", uploads6+" up6.example")
	s.start("80")
	for family, on := range s.sides(a) {
		t.Run(family, on.everyClient)
	}
	if t.Failed() {
		t.Logf("cache.log:\n%s\naccess.log:\n%s", s.read("log/cache.log"), s.read("log/access.log"))
	}
}

// throughWCCP is the same behind a router, by GRE for IPv4 and by policy routing for
// IPv6, whose router is spoken to in WCCP 2.01.
func throughWCCP(t *testing.T) {
	s, router := newTown(t)
	routeIPv6(router, "80", "443")
	s.configure(tlsTownLines)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.startRouter6(router)
	a := s.serveTLS()
	s.hosts(uploads4+" up4.example", uploads6+" up6.example")
	s.join(router)
	for family, on := range s.sides(a) {
		t.Run(family, on.everyClient)
	}
	s.until("the IPv6 router gives buckets too", func() bool { return s.bucketsAt(townRouter6) == 512 })
	if n := s.network().GRE; n == nil || n.Delivered == 0 || n.Stranger != 0 {
		t.Errorf("GRE: %+v", n)
	}
	if t.Failed() {
		t.Logf("cache.log:\n%s\naccess.log:\n%s", s.read("log/cache.log"), s.read("log/access.log"))
	}
}

// Without tproxy the origin sees the proxy.
func TestTLSRedirected(t *testing.T) {
	s := newStreet(t)
	s.configure("https_port 3130 transparent\nacl CONNECT method CONNECT\nacl refused dstdomain refused.example\nhttp_access deny CONNECT refused\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a := s.serveTLS()
	s.start("3130")
	for family, on := range s.sides(a) {
		seen := map[string]string{"IPv4": streetOutside4, "IPv6": streetOutside6}[family]
		if body, err := on.curl(on.name, on.nginx); err != nil || body != seen+" TLSv1.3 . HTTP/2.0 "+on.name {
			t.Errorf("%s: %q, %v", family, body, err)
		}
		on.logged(t, "TCP_MISS/200", on.name, on.nginx)
		if _, err := on.curl("refused.example", on.nginx); err == nil || !strings.Contains(err.Error(), "alert access denied") {
			t.Errorf("%s: %v", family, err)
		}
		on.logged(t, "TCP_DENIED/403", "refused.example", "")
	}
}

// everyClient has each client speak to the origins, and be refused.
func (on side) everyClient(t *testing.T) {
	s := *on.street // whose helpers fail this test, not the one above
	s.t, on.street = t, &s
	want := on.client + " TLSv1.3 . HTTP/2.0 " + on.name
	if body, err := on.curl(on.name, on.nginx); err != nil || body != want {
		t.Errorf("curl: %q, want %q; %v", body, want, err)
	}
	on.logged(t, "TCP_MISS/200", on.name, on.nginx)
	on.openssl(t)
	on.goClient(t)
	on.octets(t)
	on.uploads(t)
	on.refusals(t)
	on.chromium(t)
}

// curl fetches a page and believes no other key than the origin's.
func (on side) curl(name, at string, more ...string) (string, error) {
	args := append([]string{"--silent", "--show-error", "--http2", "--max-time", "20",
		"--cacert", on.authority.certFile, "--pinnedpubkey", "sha256//" + on.authority.pin,
		"--resolve", name + ":443:" + at}, more...)
	out, err := on.street.client.Run("curl", append(args, "https://"+name+"/")...)
	return strings.TrimSpace(out), err
}

// openssl fetches twice, the second time with the session of the first, and is shown
// the origin's certificate.
func (on side) openssl(t *testing.T) {
	session := filepath.Join(t.TempDir(), "session")
	for _, c := range []struct{ version, file, option, session string }{
		{"-tls1_3", session, "-sess_out", "New, TLSv1.3"},
		{"-tls1_3", session, "-sess_in", "Reused, TLSv1.3"},
		{"-tls1_2", session + "12", "-sess_out", "New, TLSv1.2"},
		{"-tls1_2", session + "12", "-sess_in", "Reused, TLSv1.2"},
	} {
		out, err := on.sClient(on.name, c.version, c.option, c.file)
		// A resumed TLS session shows no certificate: it stands in the session's file.
		certified := strings.HasPrefix(c.session, "Reused") || strings.Contains(out, strings.TrimSpace(on.authority.text))
		if err != nil || !strings.Contains(out, c.session) || !certified || !strings.Contains(out, "Verify return code: 0 (ok)") || !strings.Contains(out, "\n"+on.client+" ") {
			t.Errorf("openssl %s %s: %v\n%s", c.version, c.option, err, out)
			return
		}
		on.logged(t, "TCP_MISS/200", on.name, on.nginx)
	}
}

func (on side) sClient(name string, more ...string) (string, error) {
	cmd := exec.Command("openssl", append([]string{"s_client", "-connect", net.JoinHostPort(on.nginx, "443"), "-servername", name,
		"-CAfile", on.authority.certFile, "-verify_return_error", "-ign_eof"}, more...)...)
	var out strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("GET / HTTP/1.0\r\n\r\n"), &out, &out
	p, err := on.street.client.Start(cmd)
	if err != nil {
		return "", err
	}
	<-p.Done()
	return out.String(), p.Err()
}

// counted counts the octets of a connection, both ways.
type counted struct {
	net.Conn
	octets atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.octets.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.octets.Add(int64(n))
	return n, err
}

// octets fetches once more, to the end of what the origin says, and holds access.log
// to what went over the wire.
func (on side) octets(t *testing.T) {
	plain, err := on.street.client.Dial(t.Context(), net.JoinHostPort(on.nginx, "443"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	plain.SetDeadline(time.Now().Add(time.Minute))
	wire := &counted{Conn: plain}
	c := tls.Client(wire, &tls.Config{ServerName: on.name, RootCAs: on.authority.roots()})
	fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
	if text, err := io.ReadAll(c); err != nil || !strings.Contains(string(text), on.client) {
		t.Errorf("%q, %v", text, err)
	}
	plain.Close() // without a word more, which might find the origin gone
	if fields := strings.Fields(on.logged(t, "TCP_MISS/200", on.name, on.nginx)); len(fields) > 4 && fields[4] != fmt.Sprint(wire.octets.Load()) {
		t.Errorf("%d octets were sent and received, access.log tells of %s", wire.octets.Load(), fields[4])
	}
}

func (a *authority) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(a.text))
	return pool
}

// transport is a client whose connections go to an address whatever their name.
func (on side) transport(at string, sessions tls.ClientSessionCache) *http.Transport {
	return &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: on.authority.roots(), ClientSessionCache: sessions},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return on.street.client.Dial(ctx, net.JoinHostPort(at, "443"))
		}}
}

// goClient speaks HTTP/2 and resumes.
func (on side) goClient(t *testing.T) {
	sessions := tls.NewLRUClientSessionCache(1)
	for _, resumed := range []bool{false, true} {
		transport := on.transport(on.nginx, sessions)
		reply, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get("https://" + on.name + "/")
		if err != nil {
			t.Errorf("Go: %v", err)
			return
		}
		body, _ := io.ReadAll(reply.Body)
		reply.Body.Close()
		transport.CloseIdleConnections()
		if fingerprint := sha256.Sum256(reply.TLS.PeerCertificates[0].Raw); fingerprint != sha256.Sum256(on.authority.pair.Certificate[0]) {
			t.Errorf("Go: another certificate came: %x", fingerprint)
		}
		if !strings.HasPrefix(string(body), on.client+" TLSv1.3 ") || reply.ProtoMajor != 2 || reply.TLS.DidResume != resumed {
			t.Errorf("Go: %q, HTTP/%d, resumed %v", body, reply.ProtoMajor, reply.TLS.DidResume)
		}
		on.logged(t, "TCP_MISS/200", on.name, on.nginx)
	}
}

// uploadSize is more than all buffers on the way hold together.
const uploadSize = 8 << 20

func (on side) uploads(t *testing.T) {
	want, _ := digestOf(content(7, uploadSize))
	transport := on.transport(on.goServer, nil)
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	request, err := http.NewRequest("POST", "https://"+on.uploadName+"/", content(7, uploadSize))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := client.Do(request)
	if err != nil {
		t.Errorf("upload: %v", err)
		return
	}
	body, _ := io.ReadAll(reply.Body)
	reply.Body.Close()
	transport.CloseIdleConnections()
	if got := string(body); got != on.client+" HTTP/2.0 "+want+" <nil>" {
		t.Errorf("upload: %q, want the digest %s", got, want)
	}
	line := on.logged(t, "TCP_MISS/200", on.uploadName, on.goServer)
	if fields := strings.Fields(line); len(fields) > 4 && len(fields[4]) < len(fmt.Sprint(uploadSize)) {
		t.Errorf("upload: logged as %q", line)
	}
}

// refusals come as an alert, and as a line. No name server knows the name, or answers:
// nobody waits for it.
func (on side) refusals(t *testing.T) {
	const refused = "refused.example"
	_, curl := on.curl(refused, on.nginx)
	on.logged(t, "TCP_DENIED/403", refused, "")
	said, openssl := on.sClient(refused)
	on.logged(t, "TCP_DENIED/403", refused, "")
	_, golang := (&http.Client{Transport: on.transport(on.nginx, nil), Timeout: time.Minute}).Get("https://" + refused + "/")
	line := on.logged(t, "TCP_DENIED/403", refused, "")
	if curl == nil || !strings.Contains(curl.Error(), "alert access denied") {
		t.Errorf("curl, refused: %v", curl)
	}
	if openssl == nil || !strings.Contains(said, "alert access denied") {
		t.Errorf("openssl, refused: %v\n%s", openssl, said)
	}
	if golang == nil || !strings.Contains(golang.Error(), "remote error: tls: access denied") {
		t.Errorf("Go, refused: %v", golang)
	}
	if fields := strings.Fields(line); len(fields) > 4 && fields[4] != "7" { // the alert
		t.Errorf("refused: logged as %q", line)
	}
}

// chromium shows the page, and forgives no certificate but that of the origin's key.
// It is a large package to install, so the run at full size has it alone; the hello it
// sends is among the recorded ones every run reads.
func (on side) chromium(t *testing.T) {
	if os.Getenv("CUTTLE_FULL") == "" {
		return
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	out, err := on.street.client.Run(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-crash-reporter",
		"--user-data-dir="+home, "--host-resolver-rules=MAP "+on.name+" "+bracketed(on.nginx)+", MAP * ~NOTFOUND",
		"--ignore-certificate-errors-spki-list="+on.authority.pin, "--dump-dom", "https://"+on.name+"/")
	if want := on.client + " TLSv1.3 . HTTP/2.0 " + on.name; err != nil || !strings.Contains(out, want) {
		t.Errorf("chromium: %v, want %q\n%s", err, want, out)
	}
	on.logged(t, "TCP_MISS/200", on.name, on.nginx)
}

func bracketed(address string) string {
	if strings.Contains(address, ":") {
		return "[" + address + "]"
	}
	return address
}

// logged waits for the next line of the subscriber's in access.log and holds it to
// 2.6's form. The origin's address is "" where nobody was connected to.
func (on side) logged(t *testing.T, tag, name, at string) (line string) {
	t.Helper()
	hierarchy := "DIRECT/" + at
	if at == "" {
		hierarchy = "NONE/-"
	}
	form := regexp.MustCompile(`^\d+\.\d{3} +\d+ ` + regexp.QuoteMeta(on.client+" "+tag) + ` \d+ ` + regexp.QuoteMeta("CONNECT "+name+":443 - "+hierarchy+" -") + `$`)
	on.until("a line of "+on.client+" is logged", func() bool {
		var mine []string
		for l := range strings.Lines(on.read("log/access.log")) {
			if strings.HasSuffix(l, "\n") && strings.Contains(l, " "+on.client+" ") {
				mine = append(mine, strings.TrimSpace(l))
			}
		}
		if len(mine) <= *on.lines {
			return false
		}
		line = mine[*on.lines]
		*on.lines++
		return true
	})
	if !form.MatchString(line) {
		t.Errorf("logged: %q, want %v", line, form)
	}
	return line
}
