package forward

import (
	"fmt"
	"strings"
	"testing"
)

// What a client is told that may not, and what the log says of it.
func TestRefusals(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nContent-Type: a/b\r\n\r\nok")
	const proxied = "GET http://{O}/a HTTP/1.0\r\n"
	for _, c := range []struct{ name, conf, request, status, squidError, log string }{
		{"allowed", "", proxied, "200 OK", "", "TCP_MISS/200"},
		{"http_access", "http_access deny all", proxied, "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"the last line turned round", "acl o dstdomain o.test\nhttp_access allow o", proxied, "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"the last line turned round lets in", "acl o dstdomain o.test\nhttp_access deny o", proxied, "200 OK", "", "TCP_MISS/200"},
		{"http_access2", "http_access2 deny all", proxied, "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"proxy_auth", "auth_param basic program /bin/false\nacl u proxy_auth REQUIRED\nhttp_access allow u\nhttp_access deny all", proxied, "407 Proxy Authentication Required", "ERR_CACHE_ACCESS_DENIED 0", "TCP_DENIED/407"},
		{"deny proxy_auth", "auth_param basic program /bin/false\nacl u proxy_auth joe\nhttp_access deny u", proxied, "407 Proxy Authentication Required", "ERR_CACHE_ACCESS_DENIED 0", "TCP_DENIED/407"},
		{"deny_info", "acl o port 1-65535\ndeny_info ERR_TOO_BIG o\nhttp_access deny o", proxied, "403 Forbidden", "ERR_TOO_BIG 0", "TCP_DENIED/403"},
		{"deny_info by the last ACL", "acl p port 1-65535\nacl g method GET\ndeny_info ERR_TOO_BIG p\nhttp_access deny p g", proxied, "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"deny_info elsewhere", "acl g method GET\ndeny_info http://e.test/?%s g\nhttp_access deny g", proxied, "302 Moved Temporarily", "403 Access Denied", "TCP_DENIED/302"},
		{"miss_access", "miss_access deny all", proxied, "403 Forbidden", "ERR_FORWARDING_DENIED 0", "TCP_MISS/403"},
		{"only-if-cached", "", proxied + "Cache-Control: only-if-cached\r\n", "504 Gateway Time-out", "ERR_ONLY_IF_CACHED_MISS 0", "TCP_MISS/504"},
		{"http_reply_access", "acl a rep_mime_type ^a/b\nhttp_reply_access deny a", proxied, "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"http_reply_access lets others", "acl a rep_mime_type ^c/d\nhttp_reply_access deny a\nhttp_reply_access allow all", proxied, "200 OK", "", "TCP_MISS/200"},
		{"one loop", "", proxied + "Via: 1.0 proxy.test:0 (squid/test)\r\n", "200 OK", "", "TCP_MISS/200"},
		{"two loops", "", proxied + "Via: 1.0 proxy.test:0 (squid/test), 1.0 proxy.test:0 (squid/test)\r\n", "504 Gateway Time-out", "ERR_CANNOT_FORWARD 0", "TCP_DENIED/504"},
		{"two Via fields", "", proxied + "Via: 1.0 proxy.test:0 (squid/test)\r\nX: y\r\nVia: 1.0 proxy.test:0 (squid/test)\r\n", "504 Gateway Time-out", "ERR_CANNOT_FORWARD 0", "TCP_DENIED/504"},
		{"PURGE", "", "PURGE http://{O}/a HTTP/1.0\r\n", "403 Forbidden", "ERR_ACCESS_DENIED 0", "TCP_DENIED/403"},
		{"PURGE where http_access speaks of it", "acl p method PURGE\nhttp_access allow p\nhttp_access allow all", "PURGE http://{O}/a HTTP/1.0\r\n", "404 Not Found", "", "TCP_MISS/404"},
		{"request_body_max_size", "request_body_max_size 1 KB", "POST http://{O}/a HTTP/1.0\r\nContent-Length: 1025\r\n", "413 Request Entity Too Large", "ERR_TOO_BIG 0", "TCP_DENIED/413"},
		{"reply_body_max_size", "reply_body_max_size 1 allow all", proxied, "403 Forbidden", "ERR_TOO_BIG 0", "TCP_DENIED/403"},
		{"urn", "", "GET urn:a:b HTTP/1.0\r\n", "404 Not Found", "ERR_URN_RESOLVE 0", "TCP_MISS/404"},
		{"cache_object", "", "GET cache_object://localhost/ HTTP/1.0\r\n", "404 Not Found", "ERR_INVALID_URL 0", "TCP_MISS/404"},
		{"ftp", "", "GET ftp://127.0.0.1:1/ HTTP/1.0\r\n", "503 Service Unavailable", "ERR_CONNECT_FAIL 111", "TCP_MISS/503"},
		{"CONNECT past miss_access", "miss_access deny all", "CONNECT {O} HTTP/1.0\r\n", "403 Forbidden", "ERR_FORWARDING_DENIED 0", "TCP_MISS/403"},
		{"CONNECT in a circle", "", "CONNECT {O} HTTP/1.0\r\nVia: 1.0 proxy.test:0 (squid/test), 1.0 proxy.test:0 (squid/test)\r\n", "504 Gateway Time-out", "ERR_CANNOT_FORWARD 0", "TCP_DENIED/504"},
		{"CONNECT with no way", "never_direct allow all", "CONNECT {O} HTTP/1.0\r\n", "503 Service Unavailable", "ERR_CANNOT_FORWARD 0", "TCP_MISS/503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil, file(t, c.conf))
			head, body, _ := strings.Cut(r.exchange(strings.ReplaceAll(c.request, "{O}", origin)+"\r\n"), "\r\n\r\n")
			if got := strings.TrimPrefix(strings.Split(head, "\r\n")[0], "HTTP/1.0 "); got != c.status {
				t.Errorf("%s, want %s", got, c.status)
			}
			if _, after, _ := strings.Cut(head, "\r\nX-Squid-Error: "); strings.Split(after, "\r\n")[0] != c.squidError {
				t.Errorf("X-Squid-Error %q, want %q", strings.Split(after, "\r\n")[0], c.squidError)
			}
			if !strings.Contains(head+"\r\n", fmt.Sprintf("Content-Length: %d\r\n", len(body))) {
				t.Errorf("%d bytes of body after %q", len(body), head)
			}
			if line := r.log(1)[0]; !strings.Contains(line, " "+c.log+" ") {
				t.Errorf("logged %q, want %s", line, c.log)
			}
		})
	}
}

// What a refused client's connection is good for: it stays where nothing of the
// request is left unread and persistent_connection_after_error allows it.
func TestConnectionAfterRefusal(t *testing.T) {
	for _, c := range []struct {
		conf, request string
		stays         bool
	}{
		{"http_access deny all", "GET http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", false},
		{"http_access deny all\npersistent_connection_after_error on", "GET http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", true},
		{"http_access deny all\npersistent_connection_after_error on", "GET http://o.test/ HTTP/1.0\r\n\r\n", false},
		{"http_access deny all\npersistent_connection_after_error on", "GET http://o.test/ HTTP/1.1\r\nProxy-Connection: close\r\nConnection: keep-alive\r\n\r\n", false},
		{"http_access deny all\npersistent_connection_after_error on\nclient_persistent_connections off", "GET http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", false},
		{"http_access deny all\npersistent_connection_after_error on", "POST http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", true},
		{"http_access deny all\npersistent_connection_after_error on", "POST http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\nContent-Length: 4000\r\n\r\nabc", false},
		{"persistent_connection_after_error on", "BREW /pot HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", false},
		{"persistent_connection_after_error on", "GET http://o.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", false},
		{"persistent_connection_after_error on", "GET http://nowhere.test/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", true},
		{"persistent_connection_after_error on", "GET http://127.0.0.1:1/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", true},
	} {
		r := start(t, nil, file(t, c.conf))
		// A second request on the connection shows whether it stayed.
		got := r.exchange(c.request + "GET http://second.test/ HTTP/1.0\r\n\r\n")
		if stayed := strings.Count(got, "HTTP/1.0 ") == 2; stayed != c.stays {
			t.Errorf("%q after %q: stays %v\n%.200q", c.request, c.conf, stayed, got)
		}
		said := "close"
		if c.stays {
			said = "keep-alive"
		}
		if head, _, _ := strings.Cut(got, "\r\n\r\n"); !strings.HasSuffix(head, "\r\nProxy-Connection: "+said) {
			t.Errorf("%q after %q: %q", c.request, c.conf, head)
		}
		r.srv.Shutdown(0)
	}
}
