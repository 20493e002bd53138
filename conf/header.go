package conf

import "github.com/cuttle-proxy/cuttle/parser"

// HeaderSettings are the directives about HTTP message headers.
type HeaderSettings struct {
	// HeaderAccess is header_access.
	HeaderAccess []HeaderAccess
	// HeaderReplace is header_replace.
	HeaderReplace []HeaderReplace
	// RelaxedHeaderParser is relaxed_header_parser.
	RelaxedHeaderParser Tristate
	// RequestHeaderMaxSize is request_header_max_size.
	RequestHeaderMaxSize int64
	// ReplyHeaderMaxSize is reply_header_max_size.
	ReplyHeaderMaxSize int64
	// RequestBodyMaxSize is request_body_max_size, 0 for no limit.
	RequestBodyMaxSize int64
	// Via is via.
	Via bool
	// ForwardedFor is forwarded_for.
	ForwardedFor bool
}

// HeaderAll and HeaderOther are the two names of header_access and header_replace that are no header.
const (
	HeaderAll   = "All"
	HeaderOther = "Other"
)

// HeaderAccess is one header_access line. A line for HeaderAll adds its rule to
// every header known to 2.6 and to HeaderOther, in file order.
type HeaderAccess struct {
	Header string
	Rule   AccessRule
	Pos    parser.Pos
}

// HeaderReplace is one header_replace line: what a denied header becomes.
type HeaderReplace struct {
	Header string
	Value  string
	Pos    parser.Pos
}
