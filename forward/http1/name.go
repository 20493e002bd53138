package http1

// Name is a field name as a small integer. Other stands for every name that
// is not registered here.
type Name uint8

// The registered field names: those of Squid 2.6, which are also the names
// header_access and header_replace can act on.
const (
	Other Name = iota
	Accept
	AcceptCharset
	AcceptEncoding
	AcceptLanguage
	AcceptRanges
	Age
	Allow
	AuthenticationInfo
	Authorization
	CacheControlName
	Connection
	ContentBase
	ContentDisposition
	ContentEncoding
	ContentLanguage
	ContentLength
	ContentLocation
	ContentMD5
	ContentRange
	ContentType
	Cookie
	Date
	ETag
	Expect
	Expires
	From
	FrontEndHTTPS
	Host
	IfMatch
	IfModifiedSince
	IfNoneMatch
	IfRange
	KeepAlive
	LastModified
	Link
	Location
	MaxForwards
	MimeVersion
	Negotiate
	Pragma
	ProxyAuthenticate
	ProxyAuthenticationInfo
	ProxyAuthorization
	ProxyConnection
	ProxySupport
	Public
	Range
	Referer
	RequestRange
	RetryAfter
	Server
	SetCookie
	TE
	Trailer
	TransferEncoding
	Upgrade
	UserAgent
	Vary
	Via
	Warning
	WWWAuthenticate
	XCache
	XCacheLookup
	XErrorStatus
	XErrorURL
	XForwardedFor
	XRequestURI
	XSquidError
	numNames
)

// nameText is the canonical spelling of each registered name, as 2.6 respells
// it on the way through.
var nameText = [numNames]string{
	Accept: "Accept", AcceptCharset: "Accept-Charset", AcceptEncoding: "Accept-Encoding",
	AcceptLanguage: "Accept-Language", AcceptRanges: "Accept-Ranges", Age: "Age", Allow: "Allow",
	AuthenticationInfo: "Authentication-Info", Authorization: "Authorization",
	CacheControlName: "Cache-Control", Connection: "Connection", ContentBase: "Content-Base",
	ContentDisposition: "Content-Disposition", ContentEncoding: "Content-Encoding",
	ContentLanguage: "Content-Language", ContentLength: "Content-Length",
	ContentLocation: "Content-Location", ContentMD5: "Content-MD5", ContentRange: "Content-Range",
	ContentType: "Content-Type", Cookie: "Cookie", Date: "Date", ETag: "ETag", Expect: "Expect",
	Expires: "Expires", From: "From", FrontEndHTTPS: "Front-End-Https", Host: "Host",
	IfMatch: "If-Match", IfModifiedSince: "If-Modified-Since", IfNoneMatch: "If-None-Match",
	IfRange: "If-Range", KeepAlive: "Keep-Alive", LastModified: "Last-Modified", Link: "Link",
	Location: "Location", MaxForwards: "Max-Forwards", MimeVersion: "Mime-Version",
	Negotiate: "Negotiate", Pragma: "Pragma", ProxyAuthenticate: "Proxy-Authenticate",
	ProxyAuthenticationInfo: "Proxy-Authentication-Info", ProxyAuthorization: "Proxy-Authorization",
	ProxyConnection: "Proxy-Connection", ProxySupport: "Proxy-support", Public: "Public",
	Range: "Range", Referer: "Referer", RequestRange: "Request-Range", RetryAfter: "Retry-After",
	Server: "Server", SetCookie: "Set-Cookie", TE: "Te", Trailer: "Trailer",
	TransferEncoding: "Transfer-Encoding", Upgrade: "Upgrade", UserAgent: "User-Agent",
	Vary: "Vary", Via: "Via", Warning: "Warning", WWWAuthenticate: "WWW-Authenticate",
	XCache: "X-Cache", XCacheLookup: "X-Cache-Lookup",
	XErrorStatus: "X-Error-Status", XErrorURL: "X-Error-URL", XForwardedFor: "X-Forwarded-For",
	XRequestURI: "X-Request-URI", XSquidError: "X-Squid-Error",
}

// nameBytes is nameText as slices, so that a key can be handed out without
// conversion. Nobody may write to them.
var nameBytes = func() (t [numNames][]byte) {
	for i, s := range nameText {
		t[i] = []byte(s)
	}
	return t
}()

// nameStarts is how a line with each name begins.
var nameStarts = func() (t [numNames]string) {
	for i, s := range nameText {
		t[i] = s + ": "
	}
	return t
}()

// String is the canonical spelling; "" for Other.
func (n Name) String() string {
	if n >= numNames {
		return ""
	}
	return nameText[n]
}

// The lookup hashes length, first, middle and last byte; names that share a
// slot are chained. The longest chain is asserted by a test.
const nameSlots = 512

var (
	nameSlot [nameSlots]Name
	nameNext [numNames]Name
)

func init() {
	for n := numNames - 1; n > Other; n-- {
		slot := nameHash(nameBytes[n])
		nameNext[n] = nameSlot[slot]
		nameSlot[slot] = n
	}
}

func nameHash[T ~string | ~[]byte](b T) uint {
	first, middle, last := uint(lowered[b[0]]), uint(lowered[b[len(b)/2]]), uint(lowered[b[len(b)-1]])
	return (uint(len(b))*7 + first*3 + middle*31 + last*131) % nameSlots
}

// LookupName finds a registered name without regard to case; Other when there
// is none.
func LookupName(b []byte) Name { return lookupName(b) }

// LookupNameString is LookupName for a string.
func LookupNameString(s string) Name { return lookupName(s) }

func lookupName[T ~string | ~[]byte](b T) Name {
	if len(b) == 0 || len(b) > len("Proxy-Authentication-Info") {
		return Other
	}
	for n := nameSlot[nameHash(b)]; n != Other; n = nameNext[n] {
		// Nearly every sender writes a name the canonical way.
		if string(b) == nameText[n] || EqualFold(b, nameText[n]) {
			return n
		}
	}
	return Other
}

// IsList reports whether several fields of this name may be joined into one with
// commas; of other names only the first field counts.
func (n Name) IsList() bool {
	switch n {
	case Accept, AcceptCharset, AcceptEncoding, AcceptLanguage, AcceptRanges, Allow, CacheControlName,
		ContentEncoding, ContentLanguage, Connection, IfMatch, IfNoneMatch, Link, Pragma, ProxyConnection,
		ProxySupport, TE, Trailer, TransferEncoding, Upgrade, Vary, Via, WWWAuthenticate, AuthenticationInfo,
		ProxyAuthenticationInfo, Expect, XForwardedFor:
		return true
	}
	return false
}
