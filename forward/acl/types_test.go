package acl

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// resolver is a DNS of a few names. It counts the questions.
type resolver struct {
	dns.Resolver // methods ACLs have no use for
	addrs        map[string]string
	names        map[string]string
	asked        int
}

var errNoName = errors.New("no such name")

func (r *resolver) Look(_ context.Context, host string) (dns.Answer, error) {
	r.asked++
	if a, err := netip.ParseAddr(host); err == nil {
		return dns.NewAnswer(a), nil
	}
	text, ok := r.addrs[host]
	if !ok {
		return dns.Answer{}, errNoName
	}
	var addrs []netip.Addr
	for _, w := range strings.Fields(text) {
		addrs = append(addrs, netip.MustParseAddr(w))
	}
	return dns.NewAnswer(addrs...), nil
}

func (r *resolver) Name(_ context.Context, a netip.Addr) (string, error) {
	r.asked++
	name, ok := r.names[a.String()]
	if !ok {
		return "", errNoName
	}
	return name, nil
}

// facts makes the Facts of a request, given as its head.
func facts(t testing.TB, head string) *Facts {
	t.Helper()
	var req http1.Request
	req.Reset()
	if _, state := req.Parse([]byte(head+"\r\n\r\n"), &http1.Options{}); state != http1.Complete {
		t.Fatalf("%q: %v", head, req.Fault)
	}
	url := new(http1.URL)
	if fault := url.Parse(req.Method, req.Target, &http1.URLOptions{}); fault != http1.NoFault {
		t.Fatalf("%q: %v", head, fault)
	}
	return &Facts{
		Client: netip.MustParseAddr("192.0.2.1"), Local: netip.MustParseAddrPort("198.51.100.1:3128"),
		Method: req.Method, URL: url, Request: &req.Fields,
	}
}

func withReply(t testing.TB, f *Facts, head string) *Facts {
	t.Helper()
	var reply http1.Reply
	reply.Reset()
	if _, state := reply.Parse([]byte(head+"\r\n\r\n"), false, &http1.Options{}); state != http1.Complete {
		t.Fatalf("%q", head)
	}
	f.Reply = &reply.Fields
	return f
}

func TestTypes(t *testing.T) {
	names := &resolver{
		addrs: map[string]string{"www.test": "203.0.113.1 203.0.113.2", "six.test": "2001:db8::1",
			"loop6.test": "::1", "any6.test": "::", "any4.test": "0.0.0.0", "second.test": "203.0.113.1 ::1", "mapped.test": "::ffff:127.0.0.1"},
		names: map[string]string{"192.0.2.1": "Client.Test", "203.0.113.1": "www.test"},
	}
	get := func(url string, fields ...string) *Facts {
		return facts(t, strings.Join(append([]string{"GET " + url + " HTTP/1.0"}, fields...), "\r\n"))
	}
	from := func(addr string) *Facts {
		f := get("http://www.test/")
		f.Client = netip.MustParseAddr(addr)
		return f
	}
	change := func(f *Facts, how func(*Facts)) *Facts { how(f); return f }
	monday := time.Date(2026, 11, 23, 9, 30, 0, 0, time.Local)
	day := func(days ...time.Weekday) (bits uint8) {
		for _, d := range days {
			bits |= 1 << d
		}
		return bits
	}
	for _, c := range []struct {
		acl  conf.ACL
		f    *Facts
		want Ternary
	}{
		{conf.ACL{Type: conf.ACLSrc, Networks: networks("192.0.2.0/24")}, get("http://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLSrc, Networks: networks("192.0.3.0/24")}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLSrc, Networks: networks("all")}, from("2001:db8::1"), Yes},
		{conf.ACL{Type: conf.ACLSrc, Networks: networks("0.0.0.0/1 128.0.0.0/1")}, from("2001:db8::1"), No},
		{conf.ACL{Type: conf.ACLMyIP, Networks: networks("198.51.100.1")}, get("http://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("203.0.113.2")}, get("http://www.test/"), Yes}, // any of its addresses
		{conf.ACL{Type: conf.ACLDst, Networks: networks("203.0.113.3")}, get("http://www.test/"), No},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("all")}, get("http://absent.test/"), No},
		// Whatever ends at this host's loopback is met by rules about 127.0.0.0/8.
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://loop6.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://any6.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://any4.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://0.0.0.0/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://second.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://mapped.test/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("127.0.0.0/8")}, get("http://six.test/"), No},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("::1")}, get("http://127.0.0.1/"), No},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("203.0.113.9")}, get("http://203.0.113.9/"), Yes},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("all")}, &Facts{}, No},

		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf(".test")}, get("http://WWW.Test/"), Yes},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("www.test")}, get("http://203.0.113.1/"), Yes}, // by the address's name
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("www.test")}, get("http://203.0.113.2/"), No},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("none")}, get("http://203.0.113.2/"), Yes}, // an address without a name
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("none")}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLSrcDomain, Domains: conf.DomainsOf(".test")}, get("http://a.b/"), Yes},
		{conf.ACL{Type: conf.ACLSrcDomain, Domains: conf.DomainsOf("none")}, from("192.0.2.2"), Yes},
		{conf.ACL{Type: conf.ACLDstDomRegex, Regexes: regexes(false, `^www\.`)}, get("http://203.0.113.1/"), Yes},
		{conf.ACL{Type: conf.ACLDstDomRegex, Regexes: regexes(false, `^203`)}, get("http://203.0.113.1/"), Yes},
		{conf.ACL{Type: conf.ACLDstDomRegex, Regexes: regexes(false, "none")}, get("http://203.0.113.2/"), Yes},
		{conf.ACL{Type: conf.ACLSrcDomRegex, Regexes: regexes(false, "test$")}, get("http://a.b/"), Yes},
		{conf.ACL{Type: conf.ACLSrcDomRegex, Regexes: regexes(false, "none")}, from("192.0.2.2"), Yes},

		{conf.ACL{Type: conf.ACLPort, Ports: []conf.PortRange{{First: 80, Last: 80}}}, get("http://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLPort, Ports: []conf.PortRange{{First: 1025, Last: 65535}}}, get("http://a.test:1024/"), No},
		{conf.ACL{Type: conf.ACLPort, Ports: []conf.PortRange{{First: 443, Last: 443}}}, facts(t, "CONNECT a.test:443 HTTP/1.0"), Yes},
		{conf.ACL{Type: conf.ACLMyPort, Ports: []conf.PortRange{{First: 3128, Last: 3128}}}, get("http://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLMethod, Methods: []string{"POST", "GET"}}, get("http://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLMethod, Methods: []string{"POST"}}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLMethod, Methods: []string{"GET"}}, &Facts{Method: http1.GET}, Yes}, // refused, but its method was read
		{conf.ACL{Type: conf.ACLProto, Protocols: []string{"ftp"}}, get("ftp://a.test/"), Yes},
		{conf.ACL{Type: conf.ACLProto, Protocols: []string{"http"}}, get("ftp://a.test/"), No},
		{conf.ACL{Type: conf.ACLProto, Protocols: []string{""}}, facts(t, "CONNECT a.test:443 HTTP/1.0"), Yes},
		{conf.ACL{Type: conf.ACLRequestType, RequestTypes: conf.RequestTypes{Transparent: true}},
			change(get("http://a.test/"), func(f *Facts) { f.Transparent = true }), Yes},
		{conf.ACL{Type: conf.ACLRequestType, RequestTypes: conf.RequestTypes{Transparent: true}},
			change(get("http://a.test/"), func(f *Facts) { f.Accelerated = true }), No},
		{conf.ACL{Type: conf.ACLURLGroup, Words: []string{"g"}}, change(get("http://a.test/"), func(f *Facts) { f.URLGroup = "g" }), Yes},
		{conf.ACL{Type: conf.ACLURLGroup, Words: []string{"g", ""}}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLSNMPCommunity, Words: []string{"public"}}, &Facts{Community: "public"}, Yes},

		{conf.ACL{Type: conf.ACLTime, Times: []conf.TimeSpec{{Days: day(time.Monday), Start: 9*60 + 30, Stop: 10 * 60}}}, &Facts{}, Yes},
		{conf.ACL{Type: conf.ACLTime, Times: []conf.TimeSpec{{Days: day(time.Monday), Start: 0, Stop: 9*60 + 30}}}, &Facts{}, Yes},
		{conf.ACL{Type: conf.ACLTime, Times: []conf.TimeSpec{{Days: day(time.Monday), Start: 9*60 + 31, Stop: 1440}}}, &Facts{}, No},
		{conf.ACL{Type: conf.ACLTime, Times: []conf.TimeSpec{{Days: day(time.Sunday, time.Tuesday), Start: 0, Stop: 1440}}}, &Facts{}, No},

		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(false, "/a b$")}, get("http://a.test/a%20b"), Yes}, // decoded once
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(false, "%20")}, get("http://a.test/a%2520b"), Yes},
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(false, `^http://a\.test`)}, get("http://A.TEST/"), Yes},
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(false, `^a\.test:443$`)}, facts(t, "CONNECT a.test:443 HTTP/1.0"), Yes},
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(true, "SEX")}, get("http://essex.test/"), Yes},
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: regexes(false, "SEX")}, get("http://essex.test/"), No},
		{conf.ACL{Type: conf.ACLURLPathRegex, Regexes: regexes(false, `\?q=1$`)}, get("http://a.test/x?q=1"), Yes},
		{conf.ACL{Type: conf.ACLURLPathRegex, Regexes: regexes(false, "test")}, get("http://a.test/x"), No},
		{conf.ACL{Type: conf.ACLURLLogin, Regexes: regexes(false, "^bob")}, get("http://bob:x@a.test/"), Yes},
		{conf.ACL{Type: conf.ACLURLLogin, Regexes: regexes(false, "^bob")}, get("http://a.test/"), No},

		{conf.ACL{Type: conf.ACLBrowser, Regexes: regexes(true, "mozilla")}, get("http://a.test/", "User-Agent: Mozilla/5.0"), Yes},
		{conf.ACL{Type: conf.ACLBrowser, Regexes: regexes(true, "mozilla")}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLRefererRegex, Regexes: regexes(false, "evil")}, get("http://a.test/", "Referer: http://evil.test/"), Yes},
		{conf.ACL{Type: conf.ACLReqMimeType, Regexes: regexes(false, "^text/")}, get("http://a.test/", "Content-Type: text/plain"), Yes},
		{conf.ACL{Type: conf.ACLRepMimeType, Regexes: regexes(false, "^text/")},
			withReply(t, get("http://a.test/"), "HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=x"), Yes},
		{conf.ACL{Type: conf.ACLRepMimeType, Regexes: regexes(false, "^text/")}, get("http://a.test/"), No}, // no reply yet
		{conf.ACL{Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "x-Test", Regexes: regexes(false, "^a, b$")}}},
			get("http://a.test/", "X-Test: a", "X-TEST: b"), Yes},
		{conf.ACL{Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "Accept", Regexes: regexes(false, "png")}}},
			get("http://a.test/", "accept: image/png"), Yes},
		{conf.ACL{Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "Accept", Regexes: regexes(false, "^a, b$")}}},
			get("http://a.test/", "Accept: a", "Accept: b"), Yes},
		{conf.ACL{Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "Cookie", Regexes: regexes(false, "b=2")}}},
			get("http://a.test/", "Cookie: a=1", "Cookie: b=2"), No}, // 2.6 looks at the first only
		{conf.ACL{Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "X-Absent", Regexes: regexes(false, "x")}}}, get("http://a.test/"), No},
		{conf.ACL{Type: conf.ACLRepHeader, Headers: []conf.HeaderRegex{{Name: "Server", Regexes: regexes(false, "IIS")}}},
			withReply(t, get("http://a.test/"), "HTTP/1.0 200 OK\r\nServer: IIS/5"), Yes},

		{conf.ACL{Type: conf.ACLExtUser, Users: conf.UserList{Names: []string{"bob"}}}, &Facts{Told: &Told{User: "bob"}}, Yes},
		{conf.ACL{Type: conf.ACLExtUser, Users: conf.UserList{Required: true}}, &Facts{}, Unknown},
		{conf.ACL{Type: conf.ACLExtUserRegex, Regexes: regexes(false, "^b")}, &Facts{Told: &Told{User: "bob"}}, Yes},
	} {
		comp := newCompiler(&conf.Config{}, Sources{Names: names, Now: func() time.Time { return monday }})
		m, err := comp.compile(&c.acl)
		if err != nil {
			t.Errorf("%s: %v", c.acl.Type, err)
			continue
		}
		if got := m.match(t.Context(), c.f); got != c.want {
			url := ""
			if c.f.URL != nil {
				url = string(c.f.URL.AppendCanonical(nil))
			}
			t.Errorf("%s %+v on %s: %d, want %d", c.acl.Type, c.acl, url, got, c.want)
		}
	}
}

// Only an ACL that cannot decide without DNS asks it.
func TestTypesAskDNSOnlyWhenNeeded(t *testing.T) {
	for _, c := range []struct {
		acl   conf.ACL
		url   string
		asked int
	}{
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("www.test")}, "http://www.test/", 0},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("www.test")}, "http://other.test/", 0},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("203.0.113.1")}, "http://203.0.113.1/", 0},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("www.test")}, "http://203.0.113.1/", 1},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("all")}, "http://www.test/", 1},
	} {
		names := &resolver{}
		m, _ := newCompiler(&conf.Config{}, Sources{Names: names}).compile(&c.acl)
		m.match(t.Context(), facts(t, "GET "+c.url+" HTTP/1.0"))
		if names.asked != c.asked {
			t.Errorf("%s on %s: %d questions, want %d", c.acl.Type, c.url, names.asked, c.asked)
		}
	}
}
