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

// header reads the header a line is about; who is the name 2.6 gives the speaker. A
// line without one is told and skipped.
func (r *reader) header(who string) (name string, ok bool) {
	w, ok := r.word()
	if !ok {
		r.sayWhere()
		r.say("%s: missing header name.", who)
		r.warn("header-missing", "the header's name is missing; the line is skipped", "", "")
		return "", false
	}
	return r.headerName(w), true
}

func headerAccess(field func(*Config) *[]HeaderAccess) kind {
	return lines("header|All|Other allow|deny [!]acl…", field, func(r *reader, add func(HeaderAccess)) error {
		name, ok := r.header("parse_http_header_access")
		if !ok {
			return nil
		}
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
			add(HeaderAccess{Header: name, Rule: *rule, Pos: r.namePos()})
		}
		return nil
	}, func(_ *dumper, h HeaderAccess) []string { return []string{h.Header, ruleWords(h.Rule)} })
}

func headerReplace(field func(*Config) *[]HeaderReplace) kind {
	return lines("header|All|Other text", field, func(r *reader, add func(HeaderReplace)) error {
		if name, ok := r.header("parse_http_header_replace"); ok {
			value, _ := r.rest()
			add(HeaderReplace{Header: name, Value: value, Pos: r.namePos()})
		}
		return nil
	}, func(_ *dumper, h HeaderReplace) []string { return []string{h.Header, h.Value} })
}
