package acl

import (
	"context"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// url_regex: the canonical URL, decoded once (recorded fact:
// access/acl-url-regex-escaped). That a URL matches cannot be told when its host is a
// mere claim.
type urlRegex struct {
	set   *regexSet
	names dns.Resolver
}

func (m *urlRegex) match(ctx context.Context, f *Facts) Ternary {
	if f.URL == nil {
		return No
	}
	return m.settle(ctx, f, yes(m.matches(f.URL)))
}

func (m *urlRegex) matches(url *http1.URL) bool {
	s := newScratch()
	defer s.free()
	s.b = url.AppendCanonical(s.b)
	return m.set.has(text(unescape(s.b)))
}

// urlpath_regex: path and query, decoded once (recorded fact:
// access/acl-urlpath-regex).
type pathRegex struct{ set *regexSet }

func (m *pathRegex) match(_ context.Context, f *Facts) Ternary {
	if f.URL == nil {
		return No
	}
	s := newScratch()
	defer s.free()
	s.b = append(s.b, f.URL.Path...)
	return yes(m.set.has(text(unescape(s.b))))
}

// urllogin: user and password in the URL, decoded once; empty when there are none.
type loginRegex struct{ set *regexSet }

func (m *loginRegex) match(_ context.Context, f *Facts) Ternary {
	if f.URL == nil {
		return No
	}
	s := newScratch()
	defer s.free()
	s.b = append(s.b, f.URL.Userinfo...)
	return yes(m.set.has(text(unescape(s.b))))
}

// browser, referer_regex: one field of the request, which has to be there.
type fieldRegex struct {
	set   *regexSet
	field http1.Name
}

func (m *fieldRegex) match(_ context.Context, f *Facts) Ternary {
	if f.Request == nil {
		return No
	}
	value := f.Request.Get(m.field)
	return yes(value != nil && m.set.has(text(value)))
}

// req_mime_type: the type of the request's body; a missing one is empty.
type reqMimeType struct{ set *regexSet }

func (m *reqMimeType) match(_ context.Context, f *Facts) Ternary {
	return yes(f.Request != nil && m.set.has(text(f.Request.Get(http1.ContentType))))
}

// rep_mime_type: the type of the reply's body; a missing one is empty.
type repMimeType struct{ set *regexSet }

func (m *repMimeType) match(_ context.Context, f *Facts) Ternary {
	return yes(f.Reply != nil && m.set.has(text(f.Reply.Get(http1.ContentType))))
}
