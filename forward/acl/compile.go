package acl

import (
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// compiler turns conf's ACLs into matchers, each once.
type compiler struct {
	src     Sources
	methods *http1.Methods
	done    map[*conf.ACL]matcher
	idle    []string
	err     error // the first failure
}

func newCompiler(cfg *conf.Config, src Sources) *compiler {
	if src.Now == nil {
		src.Now = time.Now
	}
	return &compiler{src: src, methods: http1.NewMethods(cfg.ExtensionMethods), done: map[*conf.ACL]matcher{}}
}

// matcher gives the matcher of an ACL.
func (c *compiler) matcher(a *conf.ACL) matcher {
	if m, ok := c.done[a]; ok {
		return m
	}
	m, err := c.compile(a)
	if err != nil {
		if c.err == nil {
			c.err = fmt.Errorf("acl %s (%s): %w", a.Name, a.Pos, err)
		}
		m = unknown{}
	}
	if _, idle := m.(unknown); idle && err == nil {
		c.idle = append(c.idle, a.Name+" ("+string(a.Type)+")")
	}
	c.done[a] = m
	return m
}

// compile has one line for each ACL type.
func (c *compiler) compile(a *conf.ACL) (matcher, error) {
	switch a.Type {
	case conf.ACLSrc:
		return &src{compileAddrs(&a.Networks)}, nil
	case conf.ACLDst:
		set := compileAddrs(&a.Networks)
		return c.needs(c.src.Names != nil, &dst{&set, c.src.Names})
	case conf.ACLMyIP:
		return &myIP{compileAddrs(&a.Networks)}, nil
	case conf.ACLDstDomain:
		return &dstDomain{domains{&a.Domains}, c.src.Names}, nil
	case conf.ACLSrcDomain:
		return c.needs(c.src.Names != nil, &srcDomain{domains{&a.Domains}, c.src.Names})
	case conf.ACLPort:
		return &port{a.Ports}, nil
	case conf.ACLMyPort:
		return &myPort{a.Ports}, nil
	case conf.ACLMethod:
		return compileMethods(a.Methods, c.methods), nil
	case conf.ACLProto:
		return compileProtocols(a.Protocols), nil
	case conf.ACLRequestType:
		return &requestType{a.RequestTypes}, nil
	case conf.ACLURLGroup:
		return &urlGroup{a.Words}, nil
	case conf.ACLSNMPCommunity:
		return &community{a.Words}, nil
	case conf.ACLTime:
		return &weekly{a.Times, c.src.Now}, nil
	case conf.ACLMaxConn:
		return c.needs(c.src.Connections != nil && len(a.Numbers) > 0, &maxConn{first(a.Numbers), c.src.Connections})
	case conf.ACLARP:
		return c.needs(c.src.Hardware != nil, compileMACs(a.MACs, c.src.Hardware))
	case conf.ACLSrcAS:
		return c.needs(c.src.ASNumbers != nil, &srcAS{compileASNumbers(a.Numbers, c.src.ASNumbers)})
	case conf.ACLDstAS:
		return c.needs(c.src.ASNumbers != nil && c.src.Names != nil,
			&dst{compileASNumbers(a.Numbers, c.src.ASNumbers), c.src.Names})
	case conf.ACLReqHeader, conf.ACLRepHeader:
		return compileHeaders(a)
	case conf.ACLExtUser:
		return &extUser{compileUsers(a.Users)}, nil
	case conf.ACLIdent:
		return &ident{compileUsers(a.Users)}, nil
	case conf.ACLProxyAuth:
		return &proxyAuth{compileUsers(a.Users)}, nil
	case conf.ACLMaxUserIP:
		return &maxUserIP{a.MaxUserIP}, nil
	case conf.ACLExternal:
		return c.needs(c.src.External != nil, &external{a.External, namesUser(a.External), c.src.External})
	case conf.ACLUserCert, conf.ACLCACert:
		return c.needs(c.src.Certificates != nil, compileCert(a, c.src.Certificates))
	}
	return c.compileRegexType(a)
}

// compileRegexType has the types whose values are regular expressions.
func (c *compiler) compileRegexType(a *conf.ACL) (matcher, error) {
	set, err := compileRegexes(&a.Regexes)
	if err != nil {
		return nil, err
	}
	switch a.Type {
	case conf.ACLURLRegex:
		return &urlRegex{set, c.src.Names}, nil
	case conf.ACLURLPathRegex:
		return &pathRegex{set}, nil
	case conf.ACLURLLogin:
		return &loginRegex{set}, nil
	case conf.ACLDstDomRegex:
		return &dstDomain{set, c.src.Names}, nil
	case conf.ACLSrcDomRegex:
		return c.needs(c.src.Names != nil, &srcDomain{set, c.src.Names})
	case conf.ACLBrowser:
		return &fieldRegex{set, http1.UserAgent}, nil
	case conf.ACLRefererRegex:
		return &fieldRegex{set, http1.Referer}, nil
	case conf.ACLReqMimeType:
		return &reqMimeType{set}, nil
	case conf.ACLRepMimeType:
		return &repMimeType{set}, nil
	case conf.ACLExtUserRegex:
		return &extUser{set}, nil
	case conf.ACLIdentRegex:
		return &ident{set}, nil
	case conf.ACLProxyAuthRegex:
		return &proxyAuth{set}, nil
	}
	return nil, fmt.Errorf("unknown type %q", a.Type)
}

// needs replaces a matcher whose source of facts is missing by one that can
// never tell.
func (c *compiler) needs(have bool, m matcher) (matcher, error) {
	if !have {
		return unknown{}, nil
	}
	return m, nil
}

// askers names the ACLs that ask for credentials.
func (c *compiler) askers(acls []*conf.ACL) map[string]bool {
	asks := map[string]bool{}
	for _, a := range acls {
		switch a.Type {
		case conf.ACLProxyAuth, conf.ACLProxyAuthRegex:
			asks[a.Name] = true
		case conf.ACLExternal:
			if namesUser(a.External) {
				asks[a.Name] = true
			}
		}
	}
	return asks
}

func first(numbers []int) int {
	if len(numbers) == 0 {
		return 0
	}
	return numbers[0]
}
