package fetch

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// A sibling is asked for what it has with only-if-cached, but not when it is only asked
// whether it has something, and its answer tells. By its own name this peer is a sibling.
func TestOnlyARequestHasOnlyIfCached(t *testing.T) {
	r := newRig(t, "cache_peer 127.0.0.1 parent 81 0 no-query\nneighbor_type_domain 127.0.0.1 sibling 127.0.0.1\nnever_direct allow all")
	f := new(Fetch)
	f.Init()
	req, _ := understood(t, "GET http://h.test/ HTTP/1.0\r\nCookie: a\r\n\r\n", nil)
	f.Begin(t.Context(), &r.env, &r.policy, req)
	if why := f.Choose(); why != nil {
		t.Fatal(why)
	}
	f.hop = &f.hops[0]
	if head := string(f.requestHead(nil)); !strings.Contains(head, ", only-if-cached\r\n") {
		t.Errorf("a request: %q", head)
	}
	lines := string(f.AppendLines(nil, f.hop.Peer))
	if strings.Contains(lines, "only-if-cached") || !strings.Contains(lines, "Cookie: a\r\n") || strings.Contains(lines, "Connection") {
		t.Errorf("a question: %q", lines)
	}
}

// A question by HTCP, which anybody on the way can read, has no credentials for the peer,
// and like a tunnel none of what its options make of a request.
func TestOnlyARequestHasWhatThePeerIsGiven(t *testing.T) {
	for _, login := range []string{"PASS", "u:p", "*:p"} {
		r := newRig(t, "cache_peer 127.0.0.1 parent 81 0 no-query forceddomain=forced.test front-end-https login="+login+"\nnever_direct allow all")
		for method, forced := range map[string]bool{"GET http://h.test/": true, "CONNECT h.test:443": false} {
			f := new(Fetch)
			f.Init()
			req, _ := understood(t, method+" HTTP/1.0\r\nHost: h.test\r\nProxy-Authorization: Basic dTpw\r\n\r\n", nil)
			f.Begin(t.Context(), &r.env, &r.policy, req)
			if why := f.Choose(); why != nil {
				t.Fatal(why)
			}
			f.hop = &f.hops[0]
			head := string(f.requestHead(nil))
			if strings.Contains(head, "Host: forced.test") != forced || strings.Contains(head, "Front-End-Https: On") != forced || !strings.Contains(head, "Proxy-Authorization") {
				t.Errorf("%s: %q", method, head)
			}
			lines := string(f.AppendLines(nil, f.hop.Peer))
			if strings.Contains(lines, "uthorization") || strings.Contains(lines, "forced.test") || strings.Contains(lines, "Front-End") {
				t.Errorf("a question: %q", lines)
			}
		}
	}
}

// What login= has goes to the peer as it is, with every octet a URL cannot have.
func TestOwnCredentialsAreNotEscaped(t *testing.T) {
	r := newRig(t, "")
	heads := make(chan string, 1)
	at := listen(t, func(c *net.TCPConn, b *bufio.Reader) {
		if head, err := readHead(b); err == nil {
			heads <- head
			fmt.Fprint(c, "HTTP/1.0 204 No Content\r\n\r\n")
		}
	})
	o, why := r.env.GetOwn(t.Context(), &r.policy, nil, "http://u:a%25b%40c@"+at+"/", new(http1.Outgoing), 0)
	if why != nil {
		t.Fatal(why)
	}
	o.Close()
	want := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("u:a%b@c")) + "\r\n"
	if head := <-heads; !strings.Contains(head, want) {
		t.Errorf("%q", head)
	}
}

// login=*:password has the name the external ACL helper gave for the peer as a proxy, and
// the one that was authenticated for it as an origin.
func TestLoginWithTheUsersName(t *testing.T) {
	r := newRig(t, "cache_peer 127.0.0.1 parent 81 0 no-query originserver login=*:pw\nnever_direct allow all")
	for _, c := range []struct{ user, authenticated, proxy, origin string }{
		{"ext", "joe", "ext", "joe"}, {"ext", "", "ext", "ext"}, {"", "joe", "joe", "joe"}, {"", "", "-", "-"},
	} {
		for method, asOrigin := range map[string]bool{"GET http://h.test/": true, "CONNECT h.test:443": false} {
			f := new(Fetch)
			f.Init()
			req, _ := understood(t, method+" HTTP/1.0\r\n\r\n", nil)
			req.Facts.Told = &acl.Told{User: c.user, AuthUser: c.authenticated}
			f.Begin(t.Context(), &r.env, &r.policy, req)
			if why := f.Choose(); why != nil {
				t.Fatal(why)
			}
			f.hop = &f.hops[0]
			head := string(f.requestHead(nil))
			basic := func(user string) string {
				return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":pw")) + "\r\n"
			}
			if !strings.Contains(head, "\r\nProxy-Authorization: "+basic(c.proxy)) || strings.Contains(head, "\r\nAuthorization: "+basic(c.origin)) != asOrigin {
				t.Errorf("%+v, %s: %q", c, method, head)
			}
		}
	}
}
