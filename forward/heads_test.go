package forward

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// wire is one exchange seen from both sides.
type wire struct {
	toOrigin, toClient string
}

// through sends a request through a proxy of that configuration to an origin
// (or a parent, where the lines name {PORT}) that gives one answer, and returns
// the heads that went on. {O} is the origin's address.
func through(t *testing.T, lines, request, answer string) wire {
	t.Helper()
	var w wire
	seen := make(chan string, 1)
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		seen <- head
		fmt.Fprint(c, answer)
	})
	_, port, _ := net.SplitHostPort(origin)
	r := start(t, nil, file(t, strings.ReplaceAll(lines, "{PORT}", port)))
	defer r.srv.Shutdown(0)
	got := r.exchange(strings.ReplaceAll(request, "{O}", origin))
	w.toClient, _, _ = strings.Cut(got, "\r\n\r\n")
	select {
	case w.toOrigin = <-seen:
	default:
	}
	w.toOrigin = strings.ReplaceAll(strings.TrimSuffix(w.toOrigin, "\r\n\r\n"), origin, "{O}")
	w.toClient = strings.ReplaceAll(w.toClient, origin, "{O}")
	return w
}

// fieldsOf are the lines of a head but the first, without those that a test
// does not speak of.
func fieldsOf(head string, without ...string) string {
	var kept []string
next:
	for i, line := range strings.Split(head, "\r\n") {
		for _, name := range without {
			if i == 0 || strings.HasPrefix(line, name+":") {
				continue next
			}
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, " | ")
}

// What becomes of a request's fields on the way, by configuration.
func TestRequestFields(t *testing.T) {
	const (
		answer = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"
		parent = "cache_peer 127.0.0.1 parent {PORT} 0 no-query no-digest default"
		never  = "\nnever_direct allow all"
	)
	for _, c := range []struct{ name, conf, request, want string }{
		{"all that is added", "", "", "Via: 1.0 proxy.test:0 (squid/test) | X-Forwarded-For: 127.0.0.1 | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"via off", "via off", "Via: 1.1 a\r\n", "Via: 1.1 a | X-Forwarded-For: 127.0.0.1 | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"forwarded_for off", "forwarded_for off", "X-Forwarded-For: 9.9.9.9\r\n", "X-Forwarded-For: 9.9.9.9 | Via: 1.0 proxy.test:0 (squid/test) | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"joined", "", "Via: 1.1 a\r\nX-Forwarded-For: 9.9.9.9\r\nVia: 1.0 b\r\n", "Via: 1.1 a, 1.0 b, 1.0 proxy.test:0 (squid/test) | X-Forwarded-For: 9.9.9.9, 127.0.0.1 | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"this hop's fields", "via off\nforwarded_for off", "Connection: close, x-mine\r\nX-Mine: 1\r\nX-Other: 2\r\nKeep-Alive: 3\r\nProxy-Connection: close\r\nTE: trailers\r\nTrailer: a\r\nUpgrade: b\r\nProxy-Authorization: Basic eDp5\r\nProxy-Authenticate: z\r\nExpect: 100-continue\r\n",
			"X-Other: 2 | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"Connection cannot remove Host", "via off\nforwarded_for off", "Connection: host, content-length\r\nHost: other.test\r\n", "Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"one Host", "via off\nforwarded_for off", "X-A: 1\r\nHost: other.test\r\nX-B: 2\r\n", "X-A: 1 | Host: {O} | X-B: 2 | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"no kept connections", "via off\nforwarded_for off\nserver_persistent_connections off", "", "Host: {O} | Cache-Control: max-age=259200"},
		{"server_http11", "via off\nforwarded_for off\nserver_http11 on\nserver_persistent_connections off", "", "Host: {O} | Cache-Control: max-age=259200 | Connection: close"},
		{"Max-Forwards is for TRACE", "via off\nforwarded_for off", "Max-Forwards: 5\r\n", "Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"a client's max-age", "via off\nforwarded_for off", "Cache-Control: max-age=5\r\n", "Host: {O} | Cache-Control: max-age=5 | Connection: keep-alive"},
		{"refresh_pattern", "via off\nforwarded_for off\nrefresh_pattern -i /P 0 20% 10\nrefresh_pattern . 0 20% 20", "", "Host: {O} | Cache-Control: max-age=600 | Connection: keep-alive"},
		{"Front-End-Https", "via off\nforwarded_for off", "Front-End-Https: On\r\n", "Front-End-Https: On | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"header_access", "via off\nforwarded_for off\nheader_access User-Agent deny all\nheader_access Cookie deny all\nheader_replace Cookie none\nheader_access Host deny all", "User-Agent: me\r\nCookie: you\r\nReferer: r\r\n",
			"Cookie: none | Referer: r | Cache-Control: max-age=259200 | Connection: keep-alive"},

		{"a parent", parent + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\nAuthorization: Basic eDp6\r\n",
			"Authorization: Basic eDp6 | Host: {O} | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
		{"login=PASS", parent + " login=PASS" + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\n",
			"Proxy-Authorization: Basic eDp5 | Host: {O} | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
		{"login=user:password", parent + " login=me:secret" + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\n",
			"Host: {O} | Proxy-Authorization: Basic bWU6c2VjcmV0 | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
		{"login=*:password", parent + " login=*:pw" + never + "\nvia off\nforwarded_for off", "",
			"Host: {O} | Proxy-Authorization: Basic LTpwdw== | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
		{"originserver", parent + " originserver" + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\nAuthorization: Basic eDp6\r\n",
			"Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"originserver login=", parent + " originserver login=me:secret" + never + "\nvia off\nforwarded_for off", "Authorization: Basic eDp6\r\n",
			"Host: {O} | Proxy-Authorization: Basic bWU6c2VjcmV0 | Authorization: Basic bWU6c2VjcmV0 | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"originserver login=PASS", parent + " originserver login=PASS" + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\nAuthorization: Basic eDp6\r\n",
			"Authorization: Basic eDp6 | Host: {O} | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"originserver login=PROXYPASS", parent + " originserver login=PROXYPASS" + never + "\nvia off\nforwarded_for off", "Proxy-Authorization: Basic eDp5\r\n",
			"Host: {O} | Authorization: Basic eDp5 | Cache-Control: max-age=259200 | Connection: keep-alive"},
		{"forceddomain", parent + " forceddomain=forced.test" + never + "\nvia off\nforwarded_for off", "Host: x\r\n",
			"Host: forced.test | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
		{"front-end-https", parent + " front-end-https=on" + never + "\nvia off\nforwarded_for off", "Front-End-Https: mine\r\n",
			"Host: {O} | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive | Front-End-Https: On"},
		{"front-end-https=auto over HTTP", parent + " front-end-https=auto" + never + "\nvia off\nforwarded_for off", "Front-End-Https: mine\r\n",
			"Host: {O} | Cache-Control: max-age=259200 | Proxy-Connection: keep-alive"},
	} {
		w := through(t, c.conf, "GET http://{O}/p HTTP/1.0\r\n"+c.request+"\r\n", answer)
		if got := strings.TrimPrefix(fieldsOf(w.toOrigin, "-"), " | "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// The request line: an origin is told the path, a parent the whole URL, in the
// version of that side.
func TestRequestLine(t *testing.T) {
	const answer = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct{ conf, asked, want string }{
		{"", "GET http://{O}/a%20b?c#d", "GET /a%20b?c#d HTTP/1.0"},
		{"", "get http://{O}", "GET / HTTP/1.0"},
		{"", "HEAD http://user:pw@{O}/", "HEAD / HTTP/1.0"},
		{"server_http11 on", "GET http://{O}/", "GET / HTTP/1.1"},
		{"cache_peer 127.0.0.1 parent {PORT} 0 no-query no-digest default", "GET http://{O}/a?c", "GET http://{O}/a?c HTTP/1.0"},
		{"cache_peer 127.0.0.1 parent {PORT} 0 no-query default http11", "GET http://{O}/a?c", "GET http://{O}/a?c HTTP/1.1"},
		{"cache_peer 127.0.0.1 parent {PORT} 0 no-query default originserver", "GET http://{O}/a?c", "GET /a?c HTTP/1.0"},
	} {
		w := through(t, c.conf, c.asked+" HTTP/1.1\r\nHost: x\r\n\r\n", answer)
		if got, _, _ := strings.Cut(w.toOrigin, "\r\n"); got != c.want {
			t.Errorf("%s with %q: %q, want %q", c.asked, c.conf, got, c.want)
		}
	}
}

// What becomes of a reply's fields on the way. Those the proxy adds to every
// reply are left out where they are not the point.
func TestReplyFields(t *testing.T) {
	added := []string{"X-Cache", "X-Cache-Lookup", "Via", "Proxy-Connection", "Content-Length"}
	for _, c := range []struct{ name, conf, request, reply, want string }{
		{"order and spelling", "", "", "sERVER: s\r\nX-oDD: 1\r\ndate: x\r\n", "Server: s | X-oDD: 1 | Date: x"},
		{"this hop's fields", "", "", "Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 2\r\nProxy-Connection: close\r\nUpgrade: 3\r\nTrailer: 4\r\nX-Other: 5\r\n", "X-Other: 5"},
		{"Set-Cookie passes, each", "", "", "Set-Cookie: a\r\nSet-Cookie: b\r\n", "Set-Cookie: a | Set-Cookie: b"},
		{"header_access", "header_access Server deny all\nheader_access Set-Cookie deny all\nheader_replace Set-Cookie none", "", "Server: s\r\nSet-Cookie: a\r\nX-A: 1\r\n", "Set-Cookie: none | X-A: 1"},
		{"header_access of an unknown name", "header_access X-A deny all", "", "X-A: 1\r\nX-B: 2\r\n", "X-B: 2"},
		{"NTLM is offered", "", "", "WWW-Authenticate: Basic\r\nWWW-Authenticate: ntlm\r\n", "WWW-Authenticate: Basic | WWW-Authenticate: ntlm | Proxy-support: Session-Based-Authentication | Connection: Proxy-support"},
		{"NTLM is not offered", "http_port 3128 no-connection-auth", "", "WWW-Authenticate: Basic\r\nWWW-Authenticate: Negotiate abc\r\n", "WWW-Authenticate: Basic"},
	} {
		w := through(t, c.conf, "GET http://{O}/ HTTP/1.0\r\n"+c.request+"\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"+c.reply+"\r\n")
		if got := strings.TrimPrefix(fieldsOf(w.toClient, added...), " | "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
	for _, c := range []struct{ conf, via, want string }{
		{"", "", "X-Cache: MISS from proxy.test | X-Cache-Lookup: MISS from proxy.test:0 | Via: 1.0 proxy.test:0 (squid/test) | Proxy-Connection: close"},
		{"via off", "Via: 1.1 o\r\n", "Via: 1.1 o | X-Cache: MISS from proxy.test | X-Cache-Lookup: MISS from proxy.test:0 | Proxy-Connection: close"},
		{"unique_hostname u.test", "Via: 1.1 o\r\n", "X-Cache: MISS from proxy.test | X-Cache-Lookup: MISS from proxy.test:0 | Via: 1.1 o, 1.0 u.test:0 (squid/test) | Proxy-Connection: close"},
		{"httpd_suppress_version_string on", "", "X-Cache: MISS from proxy.test | X-Cache-Lookup: MISS from proxy.test:0 | Via: 1.0 proxy.test:0 (squid) | Proxy-Connection: close"},
		{"header_access X-Cache deny all\nheader_access Via deny all", "", "X-Cache-Lookup: MISS from proxy.test:0 | Proxy-Connection: close"},
	} {
		w := through(t, c.conf, "GET http://{O}/ HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n"+c.via+"\r\n")
		if got := strings.TrimPrefix(fieldsOf(w.toClient, "Content-Length"), " | "); got != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.conf, got, c.want)
		}
	}
}
