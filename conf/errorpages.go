package conf

import "github.com/cuttle-proxy/cuttle/parser"

// ErrorPageSettings are the pages and icons the proxy itself answers with.
type ErrorPageSettings struct {
	// IconDirectory is icon_directory.
	IconDirectory string
	// GlobalInternalStatic is global_internal_static.
	GlobalInternalStatic bool
	// ShortIconURLs is short_icon_urls.
	ShortIconURLs bool
	// ErrorDirectory is error_directory.
	ErrorDirectory string
	// ErrorMap is error_map.
	ErrorMap []ErrorMap
	// ErrHTMLText is err_html_text, "" when not given.
	ErrHTMLText string
	// DenyInfo is deny_info.
	DenyInfo []DenyInfo
	// MimeTable is mime_table.
	MimeTable string
}

// ErrorMap is one error_map line: pages for these status codes come from URL.
type ErrorMap struct {
	URL    string
	Status []int
	Pos    parser.Pos
}

// DenyInfo is one deny_info line: Page (a file name or a URL) answers when one
// of ACLs ended the check with deny. The names compare with case and need not be defined.
type DenyInfo struct {
	Page string
	ACLs []string
	Pos  parser.Pos
}
