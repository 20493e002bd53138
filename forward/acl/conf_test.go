package acl

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// machine is a World with a name of its own.
type machine struct{ conf.Offline }

func (machine) Hostname() (name, canonical string) { return "proxy.test", "proxy.test" }
func (machine) UserExists(string) bool             { return true }
func (machine) GroupExists(string) bool            { return true }

// load compiles lines of a squid.conf, with other sources than a name server that
// knows one name where any are given.
func load(t *testing.T, text string, sources ...Sources) *Set {
	t.Helper()
	path := filepath.Join(t.TempDir(), "squid.conf")
	if err := os.WriteFile(path, []byte("http_port 3128\nacl all src 0.0.0.0/0.0.0.0\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, report := conf.Load(path, conf.Options{World: machine{}})
	if cfg == nil {
		t.Fatalf("refused: %+v", report.Lines)
	}
	if len(sources) == 0 {
		sources = []Sources{{Names: &resolver{addrs: map[string]string{"a.test": "203.0.113.1"}}}}
	}
	return compile(t, cfg, sources[0])
}

// What conf makes of the text of acl lines is what the matchers expect.
func TestFromConfiguration(t *testing.T) {
	for _, c := range []struct{ acl, client, head, want string }{
		{"src 10.0.0.0/8", "10.1.2.3", "", "yes"},
		{"src 10.0.0.0/255.0.0.0", "11.1.2.3", "", "no"},
		{"src 10.0.0.1-10.0.0.9", "10.0.0.9", "", "yes"},
		{"src 10.0.0.1-10.0.0.9", "10.0.0.10", "", "no"},
		{"src 10.0.0.0-10.0.3.0/24", "10.0.3.200", "", "yes"},
		{"src 10.0.0.1/255.0.0.255", "10.9.9.1", "", "yes"},
		{"src 10.0.0.1", "10.0.0.1", "", "yes"},
		{"src all", "2001:db8::1", "", "yes"},
		{"src 0.0.0.0/0", "2001:db8::1", "", "yes"},
		{"src 0.0.0.0/1", "2001:db8::1", "", "no"},
		{"dst 203.0.113.0/24", "10.0.0.1", "", "yes"},
		{"dstdomain .TEST", "10.0.0.1", "", "yes"},
		{"domain a.test", "10.0.0.1", "", "yes"},
		{"port 80", "10.0.0.1", "", "yes"},
		{"port 1-79 81-65535", "10.0.0.1", "", "no"},
		{"method get", "10.0.0.1", "", "yes"},
		{"proto HTTP", "10.0.0.1", "", "yes"},
		{"url_regex -i A\\.TEST/X$", "10.0.0.1", "", "yes"},
		{"url_regex -i foo +i A\\.TEST", "10.0.0.1", "", "no"},
		{"urlpath_regex ^/x$", "10.0.0.1", "", "yes"},
		{"pattern ^/(x|y)$", "10.0.0.1", "", "yes"},
		{"browser -i ^curl", "10.0.0.1", "User-Agent: Curl/8", "yes"},
		{"referrer_regex x", "10.0.0.1", "Referer: http://x/", "yes"},
		{"req_header X-Y ^z", "10.0.0.1", "x-y: zz", "yes"},
		{"req_mime_type ^text", "10.0.0.1", "Content-Type: text/x", "yes"},
		{"time SMTWHFA 00:00-24:00", "10.0.0.1", "", "yes"},
		{"time 00:00-24:00", "10.0.0.1", "", "yes"},
		{"type transparent", "10.0.0.1", "", "no"},
		{"urllogin ^$", "10.0.0.1", "", "yes"},
	} {
		set := load(t, "acl x "+c.acl+"\nhttp_access allow x\n")
		head := "GET http://a.test/x HTTP/1.0"
		if c.head != "" {
			head += "\r\n" + c.head
		}
		f := facts(t, head)
		f.Client = netip.MustParseAddr(c.client)
		set.HTTPAccess.admits = false // about the ACL, not about who is let in
		got := "no"
		if a := set.HTTPAccess.Check(t.Context(), f); a.Allowed() {
			got = "yes"
		} else if a.Last != "x" {
			t.Errorf("%s: ended at %q", c.acl, a.Last)
		}
		if got != c.want {
			t.Errorf("%s for %s, %q: %s, want %s", c.acl, c.client, c.head, got, c.want)
		}
	}
}

// The default lines 2.6 adds to lists that are not given hold, and an IPv6
// client is not let in by a file that never heard of IPv6.
func TestDefaultLines(t *testing.T) {
	set := load(t, strings.Join([]string{
		"acl localnet src 192.168.0.0/16", "acl good dstdomain .test", "http_access allow good", "http_access allow !localnet",
	}, "\n")+"\n")
	f := facts(t, "GET http://a.test/ HTTP/1.0")
	for addr, want := range map[string]bool{"192.168.0.1": true, "192.0.2.1": true, "2001:db8::1": false, "::1": false} {
		f.Client = netip.MustParseAddr(addr)
		if a := set.HTTPAccess.Check(t.Context(), f); a.Allowed() != want {
			t.Errorf("%s: %+v", addr, a)
		}
	}
	if !set.HTTPReplyAccess.Check(t.Context(), f).Allowed() || set.ICPAccess.Check(t.Context(), f).Allowed() {
		t.Error("http_reply_access allows all, icp_access denies all")
	}
}
