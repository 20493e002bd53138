package conf

import (
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// maxACLName is the longest name of an ACL (fact acl_name_32).
const maxACLName = 31

// aclState is what is needed of an ACL only while the file is read.
type aclState struct {
	networks *networkTree
	domains  *domainTree
	users    map[string]bool
	// filled: the ACL counts as not empty although no value is stored.
	filled bool
}

func (b *builder) state(a *ACL) *aclState {
	st := b.aclStates[a]
	if st == nil {
		st = &aclState{}
		b.aclStates[a] = st
	}
	return st
}

// aclReaders says how the values of each type are read, and under which other
// words the type is known.
var aclReaders = map[ACLType]func(*reader, *ACL) error{
	ACLSrc: readNetworks, ACLDst: readNetworks, ACLMyIP: readNetworks,
	ACLDstDomain: readDomains, ACLSrcDomain: readDomains,
	ACLDstDomRegex: readRegexes, ACLSrcDomRegex: readRegexes, ACLURLPathRegex: readRegexes, ACLURLRegex: readRegexes,
	ACLIdentRegex: readRegexes, ACLBrowser: readRegexes, ACLRefererRegex: readRegexes, ACLProxyAuthRegex: readRegexes,
	ACLReqMimeType: readRegexes, ACLRepMimeType: readRegexes, ACLURLLogin: readRegexes, ACLExtUserRegex: readRegexes,
	ACLReqHeader: readHeader, ACLRepHeader: readHeader,
	ACLTime: readTimes, ACLPort: readPorts, ACLMyPort: readPorts,
	ACLMaxConn: readNumbers, ACLSrcAS: readNumbers, ACLDstAS: readNumbers,
	ACLIdent: readUsers, ACLProxyAuth: readUsers, ACLExtUser: readUsers,
	ACLRequestType: readTypes, ACLProto: readProtocols, ACLMethod: readMethods,
	ACLSNMPCommunity: readWords, ACLURLGroup: readWords,
	ACLARP: readMACs, ACLMaxUserIP: readMaxUserIP, ACLExternal: readExternal,
	ACLUserCert: readCert, ACLCACert: readCert,
}

var aclTypeAliases = map[string]ACLType{
	"domain": ACLDstDomain, "pattern": ACLURLPathRegex, "referrer_regex": ACLRefererRegex,
}

// aclTypeOf finds the type a word names. Any word that begins with proto is proto,
// and five letters are enough for type (facts acl_badtype_protocol, acl_type_*).
func aclTypeOf(w string) (ACLType, bool) {
	if t, ok := aclTypeAliases[w]; ok {
		return t, true
	}
	if _, ok := aclReaders[ACLType(w)]; ok {
		return ACLType(w), true
	}
	if strings.HasPrefix(w, "proto") {
		return ACLProto, true
	}
	return "", false
}

// ACLTypes are the words that name an ACL type, sorted.
func ACLTypes() []string {
	list := sortedKeys(aclReaders)
	for w := range aclTypeAliases {
		list = append(list, w)
	}
	return sortedStrings(list)
}

// readACL reads one acl line, and remembers the name of one that is refused.
func readACL(r *reader) error {
	err := r.aclLine()
	if r.line != nil && err != nil && len(r.line.Args.Words) > 0 {
		r.b.refusedACLs[lowerASCII(r.line.Args.Words[0].Text)] = r.namePos()
	}
	return err
}

func (r *reader) aclLine() error {
	name, namePos, err := r.aclName()
	if err != nil {
		return err
	}
	kind, err := r.aclType()
	if err != nil {
		return err
	}
	a := r.b.acls[lowerASCII(name)]
	fresh := a == nil
	if fresh {
		a = &ACL{Name: name, Type: kind, Pos: namePos}
	} else if a.Type != kind {
		r.say("aclParseAclLine: ACL '%s' already exists with different type.", a.Name)
		return r.bungled(fmt.Sprintf("acl %s is of type %s already (%v)", a.Name, a.Type, a.Pos), "")
	}
	if kind == ACLProxyAuth || kind == ACLProxyAuthRegex {
		if !r.b.cfg.authReady() {
			r.say("Invalid Proxy Auth ACL '%s' because no authentication schemes are fully configured.", r.b.firstLine(a, r))
			return r.bungled(fmt.Sprintf("%s needs an auth_param with a program in front of this line", kind), "")
		}
	}
	r.b.aclName = name
	r.b.listFiles = nil
	r.b.firstOnly = kind != ACLSrc && kind != ACLDst && kind != ACLMyIP
	if err := aclReaders[kind](r, a); err != nil {
		return err
	}
	line := ACLLine{Pos: r.namePos(), Files: r.b.listFiles}
	if r.line != nil {
		line.Text = r.line.Text()
	}
	a.Lines = append(a.Lines, line)
	if !fresh {
		return nil
	}
	if (a.empty() || r.b.onlyIPv6(a)) && !r.b.state(a).filled {
		r.b.untrue = !a.empty()
		r.say("aclParseAclLine: WARNING: empty ACL: %s", r.quoted)
		r.b.untrue = false
	}
	r.b.quoted[a] = r.quoted
	r.b.acls[lowerASCII(name)] = a
	r.b.cfg.ACLs = append(r.b.cfg.ACLs, a)
	return nil
}

func (r *reader) aclName() (string, parser.Pos, error) {
	name, ok := r.word()
	if !ok {
		r.say("aclParseAclLine: missing ACL name.")
		return "", r.pos(), r.bungled("the name of the ACL is missing", "acl NAME TYPE VALUE…")
	}
	if len(name) > maxACLName {
		r.say("aclParseAclLine: ACL name '%s' too long. Max %d characters allowed", name, maxACLName)
		return "", r.pos(), r.bungled(fmt.Sprintf("the name has %d bytes", len(name)), fmt.Sprintf("At most %d are allowed.", maxACLName))
	}
	if name[0] == '!' {
		r.warn("acl-name", "an ACL whose name begins with ! can never be used", "", "")
	}
	return name, r.pos(), nil
}

func (r *reader) aclType() (ACLType, error) {
	word, ok := r.word()
	if !ok {
		r.say("aclParseAclLine: missing ACL type.")
		return "", r.bungled("the type of the ACL is missing", "acl NAME TYPE VALUE…")
	}
	kind, ok := aclTypeOf(word)
	if !ok || r.b.lacks(kind) {
		r.say("aclParseAclLine: Invalid ACL type '%s'", word)
		return "", r.unknownWord("ACL type", word, ACLTypes())
	}
	return kind, nil
}

// firstLine is the text 2.6 remembers of an ACL: that of its first line.
func (b *builder) firstLine(a *ACL, r *reader) string {
	if s, ok := b.quoted[a]; ok {
		return s
	}
	return r.quoted
}

// compact gives back the room that reading left over.
func (a *ACL) compact() {
	a.Networks.four = compact(a.Networks.four)
	a.Domains.texts.compact()
	a.Regexes.compact()
	for i := range a.Headers {
		a.Headers[i].Regexes.compact()
	}
}

// matchesNothing reports whether no request can match.
func (a *ACL) matchesNothing() bool {
	return a.empty() && a.Type != ACLMaxUserIP && !a.Users.Required && a.RequestTypes == RequestTypes{}
}

// empty reports whether the ACL has no value in a list.
func (a *ACL) empty() bool {
	return a.Networks.Len()+a.Domains.Len()+a.Regexes.Len()+len(a.Headers)+len(a.Ports)+len(a.Times)+len(a.Methods)+
		len(a.Protocols)+len(a.Words)+len(a.Numbers)+len(a.MACs)+len(a.Cert.Values)+len(a.Users.Names) == 0 && a.External == nil
}
