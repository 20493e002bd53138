package conf

import "strings"

// knownHeaders are the header names 2.6 has numbers for. header_access and
// header_replace on HeaderAll stand for these and HeaderOther.
var knownHeaders = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Accept-Ranges", "Age", "Allow", "Authorization",
	"Cache-Control", "Connection", "Content-Base", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Length", "Content-Location", "Content-MD5", "Content-Range", "Content-Type", "Cookie", "Date", "ETag",
	"Expires", "From", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "Last-Modified", "Link",
	"Location", "Max-Forwards", "Mime-Version", "Pragma", "Proxy-Authenticate", "Proxy-Authentication-Info",
	"Proxy-Authorization", "Proxy-Connection", "Proxy-support", "Public", "Range", "Referer", "Request-Range",
	"Retry-After", "Server", "Set-Cookie", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "User-Agent", "Vary", "Via",
	"Expect", "Warning", "WWW-Authenticate", "Authentication-Info", "X-Cache", "X-Cache-Lookup", "X-Forwarded-For",
	"X-Request-URI", "X-Squid-Error", "Negotiate", "X-Error-URL", "X-Error-Status", "Front-End-Https", "Keep-Alive",
}

// KnownHeader gives the usual spelling of a header 2.6 knows by number.
func KnownHeader(name string) (string, bool) {
	for _, h := range knownHeaders {
		if strings.EqualFold(h, name) {
			return h, true
		}
	}
	return "", false
}

// headerName is the name a line is about: All and Other with their case, known
// headers in their usual spelling, others as written (facts acc_header_*).
func (r *reader) headerName(w string) string {
	if w == HeaderAll || w == HeaderOther {
		return w
	}
	if h, ok := KnownHeader(w); ok {
		return h
	}
	if strings.EqualFold(w, HeaderAll) || strings.EqualFold(w, HeaderOther) {
		r.warn("header-case", "the word is taken for a header of that name", "All and Other are written with one capital.",
			strings.ToUpper(w[:1])+strings.ToLower(w[1:]))
	}
	return w
}

func headerAccess(field func(*Config) *[]HeaderAccess) kind {
	return kind{name: "header|All|Other allow|deny [!]acl…",
		set: func(r *reader) error {
			w, ok := r.word()
			if !ok {
				r.sayWhere()
				r.say("parse_http_header_access: missing header name.")
				r.warn("header-missing", "the header's name is missing; the line is skipped", "", "")
				return nil
			}
			name := r.headerName(w)
			repeat := 1
			if name == HeaderAll {
				repeat = len(knownHeaders) + 1
			}
			// The rule of All is read once for every header, so 2.6 repeats its complaints.
			mark := *r
			var rule *AccessRule
			for i := range repeat {
				*r = mark
				r.b.mute = i > 0
				var err error
				rule, err = r.accessRule()
				r.b.mute = false
				if err != nil {
					return err
				}
			}
			if rule != nil {
				list := field(r.b.cfg)
				*list = append(*list, HeaderAccess{Header: name, Rule: *rule, Pos: r.namePos()})
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, h := range *field(c) {
				d.line(name, h.Header, ruleWords(h.Rule))
			}
		}}
}

func headerReplace(field func(*Config) *[]HeaderReplace) kind {
	return kind{name: "header|All|Other text",
		set: func(r *reader) error {
			w, ok := r.word()
			if !ok {
				r.sayWhere()
				r.say("parse_http_header_replace: missing header name.")
				r.warn("header-missing", "the header's name is missing; the line is skipped", "", "")
				return nil
			}
			name := r.headerName(w)
			value, _ := r.rest()
			list := field(r.b.cfg)
			*list = append(*list, HeaderReplace{Header: name, Value: value, Pos: r.namePos()})
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, h := range *field(c) {
				d.line(name, h.Header, h.Value)
			}
		}}
}
