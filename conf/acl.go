package conf

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/parser"
)

// ACLSettings are the acl lines and the external helpers they use.
type ACLSettings struct {
	// ACLs is acl, in order of first definition.
	ACLs []*ACL
	// ExternalACLTypes is external_acl_type.
	ExternalACLTypes []*ExternalACL
}

// ACLType is the second word of an acl line, in its main spelling.
type ACLType string

// The ACL types of 2.6.
const (
	ACLSrc            ACLType = "src"
	ACLDst            ACLType = "dst"
	ACLMyIP           ACLType = "myip"
	ACLDstDomain      ACLType = "dstdomain" // also "domain"
	ACLSrcDomain      ACLType = "srcdomain"
	ACLDstDomRegex    ACLType = "dstdom_regex"
	ACLSrcDomRegex    ACLType = "srcdom_regex"
	ACLTime           ACLType = "time"
	ACLURLPathRegex   ACLType = "urlpath_regex" // also "pattern"
	ACLURLRegex       ACLType = "url_regex"
	ACLPort           ACLType = "port"
	ACLMyPort         ACLType = "myport"
	ACLMaxConn        ACLType = "maxconn"
	ACLIdent          ACLType = "ident"
	ACLIdentRegex     ACLType = "ident_regex"
	ACLRequestType    ACLType = "type"
	ACLProto          ACLType = "proto"
	ACLMethod         ACLType = "method"
	ACLBrowser        ACLType = "browser"
	ACLRefererRegex   ACLType = "referer_regex" // also "referrer_regex"
	ACLProxyAuth      ACLType = "proxy_auth"
	ACLProxyAuthRegex ACLType = "proxy_auth_regex"
	ACLSrcAS          ACLType = "src_as"
	ACLDstAS          ACLType = "dst_as"
	ACLSNMPCommunity  ACLType = "snmp_community"
	ACLARP            ACLType = "arp"
	ACLReqMimeType    ACLType = "req_mime_type"
	ACLRepMimeType    ACLType = "rep_mime_type"
	ACLRepHeader      ACLType = "rep_header"
	ACLReqHeader      ACLType = "req_header"
	ACLMaxUserIP      ACLType = "max_user_ip"
	ACLExternal       ACLType = "external"
	ACLURLLogin       ACLType = "urllogin"
	ACLUserCert       ACLType = "user_cert"
	ACLCACert         ACLType = "ca_cert"
	ACLURLGroup       ACLType = "urlgroup"
	ACLExtUser        ACLType = "ext_user"
	ACLExtUserRegex   ACLType = "ext_user_regex"
)

// ACL is one named ACL: all acl lines of that name together. Which of the value
// fields is used depends on Type; the field's comment names the types.
type ACL struct {
	Name string
	Type ACLType

	// Networks: src, dst, myip.
	Networks Networks
	// Domains: dstdomain, srcdomain.
	Domains Domains
	// Regexes: all *_regex types, browser, urllogin, req_mime_type, rep_mime_type.
	Regexes Regexes
	// Headers: req_header, rep_header; each has its own patterns.
	Headers []HeaderRegex
	// Ports: port, myport.
	Ports []PortRange
	// Times: time.
	Times []TimeSpec
	// Methods: method. Upper-case names.
	Methods []string
	// Protocols: proto. Lower-case names; "" stands for every protocol 2.6 does not know.
	Protocols []string
	// Users: ident, proxy_auth, ext_user.
	Users UserList
	// Words: snmp_community, urlgroup (compared as they are).
	Words []string
	// Numbers: src_as, dst_as (AS numbers), maxconn (only the first counts).
	Numbers []int
	// MaxUserIP: max_user_ip.
	MaxUserIP MaxUserIP
	// MACs: arp.
	MACs [][6]byte
	// RequestTypes: type.
	RequestTypes RequestTypes
	// External: external.
	External *ExternalUse
	// Cert: user_cert, ca_cert.
	Cert CertList

	// partial: one of its lines was refused, so that its values are not all here.
	partial bool
	// overlaps: a value of Networks or Domains was left out because another covers it.
	overlaps bool

	// Lines is where the values came from: one entry an acl line.
	Lines []ACLLine
	// Pos is the name's place on the first line.
	Pos parser.Pos
}

// ACLLine is one acl line as it stood in the file.
type ACLLine struct {
	Text string
	Pos  parser.Pos
	// Files are the value files named by the line.
	Files []string
}

// IPRange is one value of src, dst or myip. An address a matches when a&Mask
// lies between First and Last, both included, where Last is the zero value for
// a single network. The three have the same family; First and Last are masked already.
type IPRange struct {
	First, Last, Mask netip.Addr
}

// Regex is one POSIX extended regular expression as 2.6 writes it; package
// conf/ere translates it. It compiled under glibc's rules.
type Regex struct {
	Pattern string
	ICase   bool
	Pos     parser.Pos
}

// HeaderRegex is the value of one req_header or rep_header line.
type HeaderRegex struct {
	Name    string
	Regexes Regexes
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ First, Last uint16 }

// TimeSpec is a weekly interval of local time.
type TimeSpec struct {
	// Days has bit time.Weekday set for each day it holds for.
	Days uint8
	// Start and Stop are minutes since midnight; 2.6 includes the minute Stop.
	Start, Stop int
}

// UserList is the value of ident, proxy_auth and ext_user.
type UserList struct {
	Names []string
	// Required: any user will do.
	Required bool
	// ICase: names were folded to lower case and compare without case.
	ICase bool
}

// MaxUserIP is the value of max_user_ip.
type MaxUserIP struct {
	Max    int
	Strict bool
}

// RequestTypes is the value of type.
type RequestTypes struct{ Accelerated, Transparent, Internal bool }

// CertList is the value of user_cert and ca_cert.
type CertList struct {
	Attribute string
	Values    []string
}

// ExternalUse ties an acl to an external_acl_type with its own arguments.
type ExternalUse struct {
	ACL  string // its name
	Type *ExternalACL
	Args []string
}

// ExternalACL is one external_acl_type line.
type ExternalACL struct {
	Name             string
	TTL, NegativeTTL int // seconds
	// Grace is the percentage of TTL that must remain; below it the answer is renewed in the background.
	Grace       int
	Children    int
	Concurrency int
	CacheSize   int // entries; 0 no limit
	// QuoteShell: arguments are quoted for a shell (protocol=2.5), else URL-escaped.
	QuoteShell bool
	Format     []ExternalFormat
	Program    []string
	Pos        parser.Pos
}

// ExternalFormat is one % code of an external_acl_type line.
type ExternalFormat struct {
	// Code is the word without %: LOGIN, SRC, … or HEADER for %{Name} and %{Name:member}.
	// For USER_CERT_xx and CA_CERT_xx, Header carries xx.
	Code      string
	Header    string
	Member    string
	Separator byte // between members; 0 without a member
}
