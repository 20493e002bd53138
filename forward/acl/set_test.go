package acl

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// book makes conf values out of text, with ACLs by name.
type book map[string]*conf.ACL

func (b book) refs(words ...string) (refs []conf.ACLRef) {
	for _, w := range words {
		name, negate := strings.CutPrefix(w, "!")
		refs = append(refs, conf.ACLRef{Name: name, Negate: negate, ACL: b[name]})
	}
	return refs
}

func (b book) rule(line string) conf.AccessRule {
	words := strings.Fields(line)
	return conf.AccessRule{Allow: words[0] == "allow", ACLs: b.refs(words[1:]...), Text: line}
}

func (b book) list(lines ...string) (l conf.AccessList) {
	for _, line := range lines {
		l = append(l, b.rule(line))
	}
	return l
}

func (b book) acls() (list []*conf.ACL) {
	for _, a := range b {
		list = append(list, a)
	}
	return list
}

// stock is the ACLs of the squid.conf that came with 2.6.
func stock() book {
	b := book{
		"all":        {Type: conf.ACLSrc, Networks: networks("all")},
		"localhost":  {Type: conf.ACLSrc, Networks: networks("127.0.0.1")},
		"localnet":   {Type: conf.ACLSrc, Networks: networks("192.168.1.0/24")},
		"six":        {Type: conf.ACLSrc, Networks: networks("2001:db8::/32")},
		"manager":    {Type: conf.ACLProto, Protocols: []string{"cache_object"}},
		"SSL_ports":  {Type: conf.ACLPort, Ports: []conf.PortRange{{First: 443, Last: 443}}},
		"Safe_ports": {Type: conf.ACLPort, Ports: []conf.PortRange{{First: 80, Last: 80}, {First: 443, Last: 443}, {First: 1025, Last: 65535}}},
		"CONNECT":    {Type: conf.ACLMethod, Methods: []string{"CONNECT"}},
		"users":      {Type: conf.ACLProxyAuth, Users: conf.UserList{Required: true}},
		"bad":        {Type: conf.ACLURLPathRegex, Regexes: regexes(false, "^/bad")},
	}
	for name, a := range b {
		a.Name = name
	}
	return b
}

func compile(t *testing.T, cfg *conf.Config, src Sources) *Set {
	t.Helper()
	s, err := Compile(cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStockRules(t *testing.T) {
	b := stock()
	cfg := &conf.Config{}
	cfg.ACLs = b.acls()
	cfg.HTTPAccess = b.list("allow manager localhost", "deny manager", "deny !Safe_ports", "deny CONNECT !SSL_ports",
		"allow localnet", "allow localhost", "deny all")
	s := compile(t, cfg, Sources{})
	for _, c := range []struct {
		client, line string
		want         bool
		last         string
	}{
		{"192.168.1.9", "GET http://a.test/ HTTP/1.0", true, "localnet"},
		{"127.0.0.1", "GET http://a.test/ HTTP/1.0", true, "localhost"},
		{"192.0.2.1", "GET http://a.test/ HTTP/1.0", false, "all"},
		{"192.168.1.9", "GET http://a.test:25/ HTTP/1.0", false, "Safe_ports"},
		{"192.168.1.9", "CONNECT a.test:443 HTTP/1.0", true, "localnet"},
		{"192.168.1.9", "CONNECT a.test:8443 HTTP/1.0", false, "SSL_ports"},
		{"192.168.1.9", "GET cache_object://a.test/info HTTP/1.0", false, "manager"},
		{"127.0.0.1", "GET cache_object://a.test/info HTTP/1.0", true, "localhost"},
		// An IPv6 stranger gets nothing out of rules written for IPv4.
		{"2001:db8::1", "GET http://a.test/ HTTP/1.0", false, "all"},
		{"::1", "GET http://a.test/ HTTP/1.0", false, "all"},
	} {
		f := facts(t, c.line)
		f.Client = netip.MustParseAddr(c.client)
		if a := s.HTTPAccess.Check(t.Context(), f); a.Allowed() != c.want || a.Last != c.last {
			t.Errorf("%s %s: %+v, want %v at %s", c.client, c.line, a, c.want, c.last)
		}
	}
}

func TestEmptyLists(t *testing.T) {
	cfg := &conf.Config{}
	cfg.Peers = []*conf.Peer{{}}
	cfg.AccessLogs = []*conf.AccessLog{{}}
	s := compile(t, cfg, Sources{})
	f := facts(t, "GET http://a.test/ HTTP/1.0")
	for name, c := range map[string]struct {
		l    *List
		want bool
	}{
		"http_access": {&s.HTTPAccess, false}, "http_access2": {&s.HTTPAccess2, true}, "http_reply_access": {&s.HTTPReplyAccess, true},
		"miss_access": {&s.MissAccess, true}, "always_direct": {&s.AlwaysDirect, false}, "never_direct": {&s.NeverDirect, false},
		"cache": {&s.Cache, true}, "log_access": {&s.LogAccess, true}, "broken_posts": {&s.BrokenPosts, false},
		"url_rewrite_access": {&s.URLRewriteAccess, true}, "cache_peer_access": {&s.Peers[0], true},
		"follow_x_forwarded_for": {&s.FollowXForwardedFor, false},
	} {
		if a := c.l.Check(t.Context(), f); a.Allowed() != c.want || a.Last != "" || !c.l.Empty() {
			t.Errorf("%s: %+v, want %v", name, a, c.want)
		}
	}
	if !s.AccessLogs[0].Match(t.Context(), f) {
		t.Error("an access_log line without ACLs logs everything")
	}
	if s.OutgoingAddress(t.Context(), f, false).IsValid() || s.OutgoingTOS(t.Context(), f) != 0 || s.ReplyBodyMaxSize(t.Context(), f) != 0 {
		t.Error("something out of nothing")
	}
}

func TestSelections(t *testing.T) {
	b := stock()
	cfg := &conf.Config{}
	one, two, six := netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("198.51.100.2"), netip.MustParseAddr("2001:db8::2")
	cfg.TCPOutgoingAddress = []conf.AddressRule{{Addr: one, ACLs: b.refs("bad", "localnet")}, {Addr: six}, {Addr: two, ACLs: b.refs("all")}}
	cfg.TCPOutgoingTOS = []conf.TOSRule{{TOS: 0x20, ACLs: b.refs("!bad")}, {TOS: 0x40}}
	bad, deny := b.rule("allow bad"), b.rule("deny bad")
	cfg.ReplyBodyMaxSize = []conf.BodySizeRule{{Max: 1000, Rule: &bad}, {Max: 2000, Rule: &deny}, {Max: 3000}}
	s := compile(t, cfg, Sources{})
	for _, c := range []struct {
		client, path string
		addr         netip.Addr
		tos          uint8
		size         int64
	}{
		{"192.168.1.1", "/bad", one, 0x40, 1000},
		{"192.0.2.1", "/bad", two, 0x40, 1000},
		{"192.0.2.1", "/ok", two, 0x20, 2000}, // the opposite of "deny bad" within its line
	} {
		f := facts(t, "GET http://a.test"+c.path+" HTTP/1.0")
		f.Client = netip.MustParseAddr(c.client)
		if got := s.OutgoingAddress(t.Context(), f, false); got != c.addr {
			t.Errorf("%+v: address %s", c, got)
		}
		if got := s.OutgoingAddress(t.Context(), f, true); got != six {
			t.Errorf("%+v: IPv6 address %s", c, got)
		}
		if got := s.OutgoingTOS(t.Context(), f); got != c.tos {
			t.Errorf("%+v: tos %#x", c, got)
		}
		if got := s.ReplyBodyMaxSize(t.Context(), f); got != c.size {
			t.Errorf("%+v: size %d", c, got)
		}
	}
}

func TestAsksCredentials(t *testing.T) {
	b := stock()
	b["login"] = &conf.ACL{Name: "login", Type: conf.ACLExternal,
		External: &conf.ExternalUse{Type: &conf.ExternalACL{Format: []conf.ExternalFormat{{Code: "LOGIN"}}}}}
	b["other"] = &conf.ACL{Name: "other", Type: conf.ACLExternal,
		External: &conf.ExternalUse{Type: &conf.ExternalACL{Format: []conf.ExternalFormat{{Code: "SRC"}}}}}
	cfg := &conf.Config{}
	cfg.ACLs = b.acls()
	cfg.HTTPAccess = b.list("allow users", "allow login", "deny all")
	s := compile(t, cfg, Sources{})
	for name, want := range map[string]bool{"users": true, "login": true, "other": false, "all": false, "": false} {
		if s.AsksCredentials(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	if want := []string{"login (external)"}; !slices.Equal(s.Idle(), want) {
		t.Errorf("idle %q", s.Idle())
	}
	// What cannot be told neither lets in nor keeps out.
	if a := s.HTTPAccess.Check(t.Context(), facts(t, "GET http://a.test/ HTTP/1.0")); a.Allowed() || a.Last != "all" {
		t.Errorf("%+v", a)
	}
}

func TestHeaderAccess(t *testing.T) {
	b := stock()
	cfg := &conf.Config{}
	line := func(header, rule string) {
		cfg.HeaderAccess = append(cfg.HeaderAccess, conf.HeaderAccess{Header: header, Rule: b.rule(rule)})
	}
	line("From", "allow all")
	line("x-secret", "deny all")
	line("Other", "deny all")
	line("All", "deny all")
	line("Host", "allow all")
	s := compile(t, cfg, Sources{})
	f := facts(t, "GET http://a.test/ HTTP/1.0")
	for name, want := range map[string]string{
		"From": "pass", "FROM": "pass", "X-Secret": "remove", "X-Private": "untouched", "User-Agent": "remove", "Host": "remove",
	} {
		got := "untouched"
		if l := s.HeaderAccess(name); l != nil {
			got = "remove"
			if l.Check(t.Context(), f).Allowed() {
				got = "pass"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if !s.HasHeaderAccess() || compile(t, &conf.Config{}, Sources{}).HasHeaderAccess() {
		t.Error("HasHeaderAccess")
	}
}
