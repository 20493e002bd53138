package acl

import (
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// headerLists is header_access. "All" stands for every registered name. A name
// that is not registered is touched only when a line spells it out: "Other"
// reaches nothing (recorded facts: headers/access-deny-all,
// headers/access-deny-other).
type headerLists struct {
	known map[http1.Name]*List
	other map[string]*List // by lower-case name
}

func (c *compiler) headerLists(lines []conf.HeaderAccess) headerLists {
	h := headerLists{known: map[http1.Name]*List{}, other: map[string]*List{}}
	for i := range lines {
		r := c.compileRule(&lines[i].Rule)
		switch header := lines[i].Header; header {
		case conf.HeaderAll:
			for id := http1.Other + 1; id.String() != ""; id++ {
				h.addKnown(id, r)
			}
		case conf.HeaderOther:
			// kept by 2.6 and never looked at
		default:
			if id := http1.LookupName([]byte(header)); id != http1.Other {
				h.addKnown(id, r)
			} else {
				h.addOther(strings.ToLower(header), r)
			}
		}
	}
	return h
}

func (h *headerLists) addKnown(id http1.Name, r rule) {
	l := h.known[id]
	if l == nil {
		l = new(List)
		h.known[id] = l
	}
	l.rules = append(l.rules, r)
}

func (h *headerLists) addOther(name string, r rule) {
	l := h.other[name]
	if l == nil {
		l = new(List)
		h.other[name] = l
	}
	l.rules = append(l.rules, r)
}

// HeaderAccess is header_access for one field name: nil when no line speaks of
// it, so that it passes. Ask once per configuration, not once per field.
func (s *Set) HeaderAccess(name string) *List {
	if id := http1.LookupName([]byte(name)); id != http1.Other {
		return s.headers.known[id]
	}
	return s.headers.other[strings.ToLower(name)]
}

// HasHeaderAccess reports whether there is any header_access line that acts.
func (s *Set) HasHeaderAccess() bool { return len(s.headers.known)+len(s.headers.other) > 0 }
