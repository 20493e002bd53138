package acl

import (
	"context"
	"slices"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// port: the URL's port.
type port struct{ ranges []conf.PortRange }

func (m *port) match(_ context.Context, f *Facts) Ternary {
	return yes(f.URL != nil && inRanges(m.ranges, f.URL.Port))
}

// myport: the port the client connected to.
type myPort struct{ ranges []conf.PortRange }

func (m *myPort) match(_ context.Context, f *Facts) Ternary {
	return yes(inRanges(m.ranges, f.Local.Port()))
}

func inRanges(ranges []conf.PortRange, port uint16) bool {
	for _, r := range ranges {
		if r.First <= port && port <= r.Last {
			return true
		}
	}
	return false
}

// method: the request method.
type methods struct{ has [256]bool }

func compileMethods(names []string, known *http1.Methods) *methods {
	m := new(methods)
	for _, name := range names {
		if id := known.Lookup([]byte(name)); id != http1.NoMethod {
			m.has[id] = true
		}
	}
	return m
}

func (m *methods) match(_ context.Context, f *Facts) Ternary {
	return yes(m.has[f.Method])
}

// proto: the URL's scheme. All schemes 2.6 does not know are one, and a
// CONNECT has that one too.
type protocols struct{ has [256]bool }

func compileProtocols(names []string) *protocols {
	m := new(protocols)
	for _, name := range names {
		m.has[http1.LookupScheme([]byte(name))] = true
	}
	return m
}

func (m *protocols) match(_ context.Context, f *Facts) Ternary {
	return yes(f.URL != nil && m.has[f.URL.Scheme])
}

// type: how the request came.
type requestType struct{ want conf.RequestTypes }

func (m *requestType) match(_ context.Context, f *Facts) Ternary {
	return yes(f.URL != nil && (m.want.Accelerated && f.Accelerated ||
		m.want.Transparent && f.Transparent || m.want.Internal && f.Internal))
}

// urlgroup: the group of the port or the rewriter.
type urlGroup struct{ words []string }

func (m *urlGroup) match(_ context.Context, f *Facts) Ternary {
	return yes(f.URLGroup != "" && slices.Contains(m.words, f.URLGroup))
}

// snmp_community: the community of an SNMP request.
type community struct{ words []string }

func (m *community) match(_ context.Context, f *Facts) Ternary {
	return yes(slices.Contains(m.words, f.Community))
}
