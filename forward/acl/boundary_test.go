package acl

import (
	"strings"
	"testing"
)

// What types of request ACLs match, what they do not, and what only just: as the
// lines of a squid.conf have it.
func TestRequestTypesAtTheirBoundaries(t *testing.T) {
	const get = "GET http://a.test/x HTTP/1.0"
	for _, c := range []struct{ acl, head, yes string }{
		{"proto HTTP", get, "yes"},
		{"proto http ftp", "GET ftp://a.test/x HTTP/1.0", "yes"},
		{"proto https", get, "no"}, // not a prefix
		{"proto http", "GET https://a.test/ HTTP/1.0", "no"},
		{"proto cache_object", "GET cache_object://a.test/ HTTP/1.0", "yes"},
		{"proto HTTP", "CONNECT a.test:443 HTTP/1.0", "no"},
		{"proto HTTPS", "CONNECT a.test:443 HTTP/1.0", "no"},
		{"proto urn", "GET urn:a:b HTTP/1.0", "yes"},

		{"method GET", get, "yes"},
		{"method get", get, "yes"},
		{"method GET", "HEAD http://a.test/ HTTP/1.0", "no"},
		{"method PUT POST", "POST http://a.test/ HTTP/1.0\r\nContent-Length: 0", "yes"},
		{"method PROPFIND", "PROPPATCH http://a.test/ HTTP/1.0\r\nContent-Length: 0", "no"},
		{"method CONNECT", "CONNECT a.test:443 HTTP/1.0", "yes"},
		{"method MERGE", "MERGE http://a.test/ HTTP/1.0\r\nContent-Length: 0", "yes"}, // the last of those built in

		{"port 80", get, "yes"},
		{"port 79 81", get, "no"},
		{"port 1-80", get, "yes"},
		{"port 80-80", get, "yes"},
		{"port 81-65535", get, "no"},
		{"port 65535", "GET http://a.test:65535/ HTTP/1.0", "yes"},
		{"port 0", "GET urn:a:b HTTP/1.0", "yes"}, // has none
		{"port 443", "GET https://a.test/ HTTP/1.0", "yes"},
		{"port 443", "GET http://a.test:443/ HTTP/1.0", "yes"},
		{"port 21", "GET ftp://a.test/ HTTP/1.0", "yes"},
		{"myport 3128", get, "yes"},
		{"myport 80", get, "no"},

		{"browser ^Moz", get + "\r\nUser-Agent: Mozilla/4.0", "yes"},
		{"browser ^Moz", get + "\r\nUser-Agent: mozilla/4.0", "no"},
		{"browser -i ^MOZ", get + "\r\nUser-Agent: mozilla/4.0", "yes"},
		{"browser zilla$", get + "\r\nUser-Agent: Mozilla/4.0", "no"},
		{"browser .*", get, "no"}, // nothing to match, not an empty text
		{"browser ^$", get + "\r\nUser-Agent:", "yes"},
		{"browser ^$", get, "no"},
		{"browser second", get + "\r\nUser-Agent: first\r\nUser-Agent: second", "no"},
		{"browser x", get + "\r\nX-User-Agent: x", "no"},
		{"referer_regex ^http://e\\.test/$", get + "\r\nReferer: http://e.test/", "yes"},
		{"referer_regex ^http://e\\.test/$", get + "\r\nReferer: http://e.test/x", "no"},
		{"referer_regex ^http://e\\.test/$", get + "\r\nReferer: http://eetest/", "no"},

		{"req_header X-A ^1$", get + "\r\nX-A: 1", "yes"},
		{"req_header X-A ^1$", get + "\r\nx-a:   1  ", "yes"},
		{"req_header X-A ^1$", get + "\r\nX-A: 11", "no"},
		{"req_header X-A ^1$", get + "\r\nX-AB: 1", "no"},
		{"req_header X-AB ^1$", get + "\r\nX-A: 1", "no"},
		{"req_header X-A .", get, "no"},
		{"req_header X-A ^$", get + "\r\nX-A:", "yes"},
		{"req_header X-A ^2$", get + "\r\nX-A:\r\nX-A: 2", "yes"}, // an empty one adds nothing
		{"req_header X-A -i ^abc$", get + "\r\nX-A: ABC", "yes"},
		{"req_header X-A ^abc$", get + "\r\nX-A: ABC", "no"},
		{"req_header Via ^a,.b$", get + "\r\nVia: a\r\nX-Between: x\r\nVia: b", "yes"},
		{"req_header From ^b$", get + "\r\nFrom: a\r\nFrom: b", "no"}, // the first of what is no list
		{"req_mime_type ^$", get, "yes"},
		{"req_mime_type ^text/plain$", "POST http://a.test/ HTTP/1.0\r\nContent-Length: 0\r\nContent-Type: text/plain", "yes"},
		{"req_mime_type ^text/plain$", "POST http://a.test/ HTTP/1.0\r\nContent-Length: 0\r\nContent-Type: text/plain; charset=x", "no"},

		{"url_regex ^http://a\\.test/x$", get, "yes"},
		{"url_regex ^http://a\\.test:80/", "GET http://a.test:80/ HTTP/1.0", "no"}, // the port everybody knows is left out
		{"url_regex :8080/", "GET http://a.test:8080/ HTTP/1.0", "yes"},
		{"urlpath_regex ^x", get, "no"},
		{"urlpath_regex ^$", "GET http://a.test HTTP/1.0", "yes"}, // the text of the request: no slash is put there
		{"urlpath_regex ^/$", "GET http://a.test HTTP/1.0", "no"},
		{"urlpath_regex ^/\\?q$", "GET http://a.test/?q HTTP/1.0", "yes"},
		{"urlpath_regex ^/%00$", "GET http://a.test/%00 HTTP/1.0", "yes"}, // the one byte that is not decoded
		{"urlpath_regex ^/a/$", "GET http://a.test/%61%2f HTTP/1.0", "yes"},
		{"urlpath_regex ^/%4$", "GET http://a.test/%4 HTTP/1.0", "yes"},
		{"urllogin ^bob:pw$", "GET http://bob:pw@a.test/ HTTP/1.0", "yes"},
		{"urllogin bob", "GET http://a.test/bob@x HTTP/1.0", "no"},
		{"dstdomain a.test", "GET http://a.test./ HTTP/1.0", "yes"},
		{"dstdomain test", get, "no"},
		{"dstdomain .a.test", get, "yes"},
		{"dstdom_regex ^a\\.test$", "GET http://A.Test/ HTTP/1.0", "yes"},
	} {
		set := load(t, "acl x "+c.acl+"\nhttp_access allow x\n")
		got := "no"
		if set.HTTPAccess.Check(t.Context(), facts(t, c.head)).Allowed() {
			got = "yes"
		}
		if got != c.yes {
			t.Errorf("%s on %s: %s, want %s", c.acl, strings.ReplaceAll(c.head, "\r\n", " | "), got, c.yes)
		}
	}
}

// A group is a whole word, with the case it has.
func TestURLGroupAtItsBoundaries(t *testing.T) {
	set := load(t, "acl x urlgroup one two\nhttp_access allow x\n")
	for group, want := range map[string]bool{"one": true, "two": true, "One": false, "on": false, "ones": false, "one two": false, "": false} {
		f := facts(t, "GET http://a.test/ HTTP/1.0")
		f.URLGroup = group
		if got := set.HTTPAccess.Check(t.Context(), f).Allowed(); got != want {
			t.Errorf("%q: %v", group, got)
		}
	}
}
