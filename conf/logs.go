package conf

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/parser"
)

// LogSettings are the log files.
type LogSettings struct {
	// LogFormats is logformat.
	LogFormats []*LogFormat
	// AccessLogs is access_log (cache_access_log); nothing is logged when not given.
	AccessLogs []*AccessLog
	// CacheLog is cache_log.
	CacheLog string
	// CacheStoreLog is cache_store_log ("none" for no log).
	CacheStoreLog string
	// CacheSwapState is cache_swap_state (cache_swap_log), "" for the customary place.
	CacheSwapState string
	// LogfileRotate is logfile_rotate.
	LogfileRotate int
	// EmulateHTTPDLog is emulate_httpd_log.
	EmulateHTTPDLog bool
	// LogIPOnDirect is log_ip_on_direct.
	LogIPOnDirect bool
	// LogMimeHdrs is log_mime_hdrs; also on when a logformat shows all headers.
	LogMimeHdrs bool
	// UseragentLog is useragent_log, "" for none.
	UseragentLog string
	// RefererLog is referer_log (referrer_log), "" for none.
	RefererLog string
	// ForwardLog is forward_log, "" for none.
	ForwardLog string
	// PidFilename is pid_filename ("none" for no file).
	PidFilename string
	// DebugOptions is debug_options.
	DebugOptions string
	// LogFQDN is log_fqdn; also on when a logformat shows the client's name.
	LogFQDN bool
	// ClientNetmask is client_netmask: the part of client addresses shown in logs.
	ClientNetmask netip.Addr
	// StripQueryTerms is strip_query_terms.
	StripQueryTerms bool
	// BufferedLogs is buffered_logs.
	BufferedLogs bool
}

// AccessLogKind is how an access log is formatted.
type AccessLogKind uint8

// The kinds of access log.
const (
	// LogAuto follows emulate_httpd_log.
	LogAuto AccessLogKind = iota
	LogSquid
	LogCommon
	LogCustom
	// LogNone: requests its ACLs match are not logged here or further down.
	LogNone
)

// AccessLog is one access_log line.
type AccessLog struct {
	// Path is the file as written; "" for none.
	Path string
	Kind AccessLogKind
	// Format is set for LogCustom.
	Format *LogFormat
	ACLs   []ACLRef
	Pos    parser.Pos
}

// LogFormat is one logformat line, ready to be walked token by token.
type LogFormat struct {
	Name   string
	Text   string
	Tokens []LogToken
	Pos    parser.Pos
}

// LogQuote is the way a logformat code's value is made safe.
type LogQuote uint8

// The quotings of logformat: chosen by the modifier, or by the quotes or brackets around the code.
const (
	QuoteNone     LogQuote = iota // URL escapes for what is unsafe only, where the code asks for it
	QuoteString                   // %" or inside "…": backslash escapes
	QuoteBrackets                 // %[ or inside […]: as log_mime_hdrs
	QuoteURL                      // %#: URL escaping
	QuoteRaw                      // %': as it is
)

// LogToken is literal text (Code "") or one % code.
type LogToken struct {
	// Code is the code without modifiers, e.g. ">a", "tr", ">h", "%".
	Code string
	// Text is the literal when Code is "".
	Text string
	// Arg is what stood in braces: a strftime format or a header name.
	Arg    string
	HasArg bool
	// Element and Separator are set for {Header:element}; Arg is then the header alone.
	Element    string
	HasElement bool
	Separator  byte

	Quote LogQuote
	// Left, Zero: the modifiers - and 0.
	Left, Zero bool
	// Width and Precision are 0 when not given (2.6 keeps them modulo 256).
	Width, Precision uint8
	// Space: a blank follows the value.
	Space bool
	// Divisor is for tu: microseconds are divided by it.
	Divisor int
}
