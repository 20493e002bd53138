package acl

import (
	"context"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// req_header, rep_header: any named field whose value matches one of the
// patterns given for that name. Of several fields of a name all are looked at,
// joined, when the name's values are lists or the name is not registered; of
// all others the first.
type headers struct {
	fields []headerPatterns
	reply  bool
}

type headerPatterns struct {
	id   http1.Name
	name string // for names that are not registered
	set  *regexSet
}

func compileHeaders(a *conf.ACL) (matcher, error) {
	m := &headers{reply: a.Type == conf.ACLRepHeader}
	for i := range a.Headers {
		h := &a.Headers[i]
		set, err := compileRegexes(&h.Regexes)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, headerPatterns{http1.LookupName([]byte(h.Name)), h.Name, set})
	}
	return m, nil
}

func (m *headers) match(_ context.Context, f *Facts) Ternary {
	fields := f.Request
	if m.reply {
		fields = f.Reply
	}
	if fields == nil {
		return No
	}
	for i := range m.fields {
		if m.fields[i].match(fields) {
			return Yes
		}
	}
	return No
}

func (h *headerPatterns) match(fields *http1.Fields) bool {
	s := newScratch()
	defer s.free()
	present := false
	for i := range fields.Len() {
		if fields.ID(i) != h.id || h.id == http1.Other && !http1.EqualFold(fields.Key(i), h.name) {
			continue
		}
		if len(s.b) > 0 {
			s.b = append(s.b, ", "...)
		}
		s.b, present = append(s.b, fields.Value(i)...), true
		if h.id != http1.Other && !h.id.IsList() {
			break
		}
	}
	return present && h.set.has(text(s.b))
}
