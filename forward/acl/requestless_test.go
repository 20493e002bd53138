package acl

import (
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Without a request (ICP, SNMP, a client that sent nothing) no type that looks at
// one matches, so that its negation does; types of the connection go on.
func TestTypesWithoutARequest(t *testing.T) {
	any := regexes(false, ".*", "^$")
	all := []conf.PortRange{{First: 0, Last: 65535}}
	header := []conf.HeaderRegex{{Name: "Accept", Regexes: any}, {Name: "X-Y", Regexes: any}}
	for _, c := range []struct {
		acl  conf.ACL
		want Ternary
	}{
		{conf.ACL{Type: conf.ACLURLRegex, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLURLPathRegex, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLURLLogin, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLDstDomRegex, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLDstDomain, Domains: conf.DomainsOf("none", ".")}, No},
		{conf.ACL{Type: conf.ACLDst, Networks: networks("all")}, No},
		{conf.ACL{Type: conf.ACLDstAS, Numbers: []int{65001}}, No},
		{conf.ACL{Type: conf.ACLBrowser, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLRefererRegex, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLReqMimeType, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLRepMimeType, Regexes: any}, No},
		{conf.ACL{Type: conf.ACLReqHeader, Headers: header}, No},
		{conf.ACL{Type: conf.ACLRepHeader, Headers: header}, No},
		{conf.ACL{Type: conf.ACLPort, Ports: all}, No},
		{conf.ACL{Type: conf.ACLProto, Protocols: []string{"", "http"}}, No},
		{conf.ACL{Type: conf.ACLMethod, Methods: []string{"GET", "NONE"}}, No},
		{conf.ACL{Type: conf.ACLRequestType, RequestTypes: conf.RequestTypes{Accelerated: true, Transparent: true, Internal: true}}, No},
		{conf.ACL{Type: conf.ACLURLGroup, Words: []string{""}}, No},
		{conf.ACL{Type: conf.ACLProxyAuth, Users: conf.UserList{Required: true}}, No},
		{conf.ACL{Type: conf.ACLMaxUserIP}, No},
		{conf.ACL{Type: conf.ACLExtUserRegex, Regexes: any}, Unknown},
		{conf.ACL{Type: conf.ACLARP, MACs: [][6]byte{{}}}, No}, // of an address that has none
		{conf.ACL{Type: conf.ACLMyPort, Ports: all}, Yes},
		{conf.ACL{Type: conf.ACLSrcDomain, Domains: conf.DomainsOf("none")}, Yes},
	} {
		w := &world{state: Authenticated, user: "bob"}
		m, err := newCompiler(&conf.Config{}, Sources{Names: &resolver{}, ASNumbers: w, Hardware: w}).compile(&c.acl)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.match(t.Context(), &Facts{Login: w, Accelerated: true, Transparent: true, Internal: true}); got != c.want {
			t.Errorf("%s: %d, want %d", c.acl.Type, got, c.want)
		}
	}
}

// What cannot be compiled is an error that names the ACL, and an ACL that can never
// match: no set goes on with half of a list.
func TestCompileNamesTheFaultyACL(t *testing.T) {
	for name, a := range map[string]*conf.ACL{
		"an expression":           {Name: "faulty", Type: conf.ACLURLRegex, Regexes: regexes(false, "fine", "(a")},
		"in a header":             {Name: "faulty", Type: conf.ACLReqHeader, Headers: []conf.HeaderRegex{{Name: "X-Y", Regexes: regexes(false, "[b-a]")}}},
		"an unknown type":         {Name: "faulty", Type: "moonphase"},
		"one of very many":        {Name: "faulty", Type: conf.ACLBrowser, Regexes: conf.RegexesOf(append(mixedPatterns(eagerPatterns+1), conf.Regex{Pattern: "a{2,1}", ICase: true})...)},
		"in a list asked by name": {Name: "faulty", Type: conf.ACLSrcDomRegex, Regexes: regexes(false, "*(")},
	} {
		b := book{"faulty": a, "all": {Name: "all", Type: conf.ACLSrc, Networks: networks("all")}}
		cfg := &conf.Config{}
		cfg.ACLs, cfg.HTTPAccess = b.acls(), b.list("allow faulty", "deny all")
		cfg.MissAccess = b.list("deny faulty", "allow all")
		s, err := Compile(cfg, Sources{Names: &resolver{}})
		if err == nil || !strings.Contains(err.Error(), "faulty") {
			t.Errorf("%s: %v", name, err)
		}
		f := facts(t, "GET http://a.test/fine HTTP/1.0\r\nUser-Agent: word0\r\nX-Y: b")
		if s != nil && (s.HTTPAccess.Check(t.Context(), f).Allowed() || s.MissAccess.Check(t.Context(), f).Allowed()) {
			t.Errorf("%s: let in by half a list", name)
		}
	}
}
