package acl

import (
	"context"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// FieldPolicy is header_access and header_replace. It reaches registered names
// only: fields with other names always pass (fact "header_access All deny all
// and Other deny all reach only registered names").
type FieldPolicy struct {
	active  bool
	others  []otherField // names that are not registered but spelt out
	lists   [256]*List
	replace [256][]byte
}

// NewFieldPolicy gathers the rules of each name.
func NewFieldPolicy(cfg *conf.Config, set *Set) *FieldPolicy {
	f := new(FieldPolicy)
	if !set.HasHeaderAccess() {
		return f
	}
	f.active = true
	for id := http1.Other + 1; id.String() != ""; id++ {
		f.lists[id] = set.HeaderAccess(id.String())
	}
	for _, h := range cfg.HeaderAccess {
		if name := strings.ToLower(h.Header); http1.LookupName([]byte(name)) == http1.Other {
			if list := set.HeaderAccess(name); list != nil {
				f.others = append(f.others, otherField{name, list})
			}
		}
	}
	for _, r := range cfg.HeaderReplace {
		for id := range f.replace {
			name := http1.Name(id).String()
			if name != "" && (name == r.Header || r.Header == conf.HeaderAll) {
				f.replace[id] = []byte(r.Value)
			}
		}
	}
	return f
}

// otherField is a header_access rule for a name that is not registered.
type otherField struct {
	name string
	list *List
}

// list finds the rules for a field, nil when there are none.
func (f *FieldPolicy) list(id http1.Name, key []byte) *List {
	if id != http1.Other {
		return f.lists[id]
	}
	for i := range f.others {
		if http1.EqualFold(key, f.others[i].name) {
			return f.others[i].list
		}
	}
	return nil
}

// Lets reports whether a field with a registered name would pass.
func (f *FieldPolicy) Lets(ctx context.Context, id http1.Name, facts *Facts) bool {
	return !f.active || f.lists[id] == nil || f.lists[id].Check(ctx, facts).Allowed()
}

// Apply removes or replaces the fields the rules deny. Of the fields that say
// where a body ends Transfer-Encoding stays whatever the rules say, Content-Length
// when the message is sized by it, and neither is replaced: the other side would
// take the body, or its end, for another message.
func (f *FieldPolicy) Apply(ctx context.Context, out *http1.Outgoing, facts *Facts, sized bool) {
	if !f.active {
		return
	}
	reply := facts.Reply
	facts.Reply = nil // 2.6 asks without it, so that rep_header and rep_mime_type never match
	defer func() { facts.Reply = reply }()
	for i := 0; i < out.Len(); {
		id := out.ID(i)
		list := f.list(id, out.Key(i))
		if list == nil || id == http1.TransferEncoding || sized && id == http1.ContentLength || list.Check(ctx, facts).Allowed() {
			i++
			continue
		}
		if v := f.replace[id]; v != nil && id != http1.ContentLength {
			out.SetAt(i, v)
			i++
			continue
		}
		out.RemoveAt(i)
	}
}
