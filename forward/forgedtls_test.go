package forward

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Rules judge where a TLS connection goes, 127.0.0.1, and not where its name would
// lead: elsewhere.test is 127.0.0.2. Of a name that does not belong there rules about
// names know nothing: what lets in does not, what keeps out does, negated or not.
func TestForgedTLSNames(t *testing.T) {
	origin := tlsOrigin(t)
	port := netip.MustParseAddrPort(origin).Port()
	for _, c := range []struct {
		rules               string
		own, forged, absent bool
	}{
		{"acl x dst 127.0.0.1\nhttp_access deny x\nhttp_access allow all", false, false, false},
		{"acl x dst 127.0.0.2\nhttp_access deny x\nhttp_access allow all", true, true, true},
		{"acl x dst 127.0.0.2\nhttp_access allow x\nhttp_access deny all", false, false, false},
		{"acl x dst 127.0.0.1\nhttp_access allow x\nhttp_access deny all", true, true, true},
		{"acl x dstdomain .test\nhttp_access allow x\nhttp_access deny all", true, false, false},
		{"acl x dstdomain .example\nhttp_access allow !x\nhttp_access deny all", true, false, false},
		{"acl x dstdomain .example\nhttp_access deny x\nhttp_access allow all", true, false, false},
		{"acl x dstdomain .test\nhttp_access deny !x\nhttp_access allow all", true, false, false},
		{"acl x dstdom_regex example$\nhttp_access deny x\nhttp_access allow all", true, false, false},
		{"acl x url_regex ^origin\\.test:\nhttp_access allow x\nhttp_access deny all", true, false, false},
		{"acl x url_regex \\.test:\nhttp_access deny x\nhttp_access allow all", false, false, false},
		{fmt.Sprintf("acl x port %d\nhttp_access deny x\nhttp_access allow all", port), false, false, false},
		{"acl x port 443\nhttp_access deny !x\nhttp_access allow all", false, false, false}, // a name has no port to claim
		{"http_access allow all", true, true, true},
	} {
		r := passing(t, origin, c.rules)
		for name, want := range map[string]bool{"origin.test": c.own, "elsewhere.test": c.forged, "absent.test": c.absent} {
			got, err := says(r, name)
			if want && (err != nil || !strings.HasPrefix(got, name+" ")) || !want && (err == nil || !strings.Contains(err.Error(), "access denied")) {
				t.Errorf("%q, %s: %q, %v, want %v", c.rules, name, got, err, want)
			}
		}
	}
}

// Whatever the name resolves to, loopback and the proxy itself included, the connection
// goes to where the client dialled, and no parent is asked for a name that does not
// belong there.
func TestForgedTLSNamesLeadNowhereElse(t *testing.T) {
	origin := tlsOrigin(t)
	trap, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.2:%d", netip.MustParseAddrPort(origin).Port()))
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	go func() {
		if c, err := trap.Accept(); err == nil {
			t.Errorf("%v came", c.RemoteAddr())
			c.Close()
		}
	}()
	parent := trap.Addr().(*net.TCPAddr).Port
	r := passing(t, origin, fmt.Sprintf("cache_peer 127.0.0.2 parent %d 0 no-query default", parent))
	for i, name := range []string{"elsewhere.test", "absent.test", "localhost", "127.0.0.2", "[::1]", "0.0.0.0"} {
		got, err := says(r, strings.Trim(name, "[]"))
		r.logged(i, "TCP_MISS/200", " - DIRECT/127.0.0.1 -")
		if err != nil || !strings.HasSuffix(got, " ping\n") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// Half a hello, and silence, end after request_timeout without a word to anybody, and a
// flood of them keeps nobody else waiting.
func TestFloodOfHalfHellos(t *testing.T) {
	t.Parallel() // it waits most of the time
	origin := tlsOrigin(t)
	r := passing(t, origin, "", func(c *conf.Config) { c.RequestTimeout = 5 * time.Second }) // in which a hello comes
	hello := recordedHello(t)
	var flood []*net.TCPConn
	for i := range 200 {
		c := r.dial()
		defer c.Close()
		c.Write(hello[:i%len(hello)])
		flood = append(flood, c)
	}
	if got, err := says(r, "origin.test"); err != nil || got != "origin.test h2 ping\n" {
		t.Errorf("beside the flood: %q, %v", got, err)
	}
	for i, c := range flood {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
			t.Errorf("%d octets of a hello: %q, %v", i, b, err)
		}
	}
	if n := r.srv.PassedTLS(); n != 1 {
		t.Errorf("%d passed", n)
	}
}

// Whole hellos in a flood, each with a name of its own that belongs elsewhere, are all
// refused, and keep nobody waiting whose name is right.
func TestFloodOfHellos(t *testing.T) {
	origin := tlsOrigin(t)
	r := passing(t, origin, "acl x dstdomain .test\nhttp_access allow x\nhttp_access deny all")
	var flood sync.WaitGroup
	for i := range 300 {
		flood.Go(func() {
			if got, err := says(r, fmt.Sprintf("n%d.elsewhere.test", i)); err == nil || !strings.Contains(err.Error(), "access denied") {
				t.Errorf("hello %d: %q, %v", i, got, err)
			}
		})
	}
	for range 20 {
		if got, err := says(r, "origin.test"); err != nil || got != "origin.test h2 ping\n" {
			t.Errorf("beside the flood: %q, %v", got, err)
		}
	}
	flood.Wait()
	if n := r.srv.PassedTLS(); n != 20 {
		t.Errorf("%d passed", n)
	}
}
