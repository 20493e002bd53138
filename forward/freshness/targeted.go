package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// targetField is for caches in front of origins alone (RFC 9213).
const targetField = "CDN-Cache-Control"

// readReply reads what a reply says: for an accelerator CDN-Cache-Control in the place
// of Cache-Control, Pragma and Expires, where there is one, and for a surrogate
// Surrogate-Control in the place of all of them. targeted says so.
func (r *Rules) readReply(f *http1.Fields, accelerated bool) (c Control, targeted bool) {
	if accelerated {
		if r.Surrogate != "" {
			if c, targeted = r.readSurrogate(f); targeted {
				return c, true
			}
		}
		for i := range f.Len() {
			if f.ID(i) == http1.Other && http1.EqualFold(f.Key(i), targetField) {
				members, ok := dictionary(f.Value(i))
				if !ok {
					return ReadControl(f), false
				}
				c.read(members)
				targeted = true
			}
		}
	}
	if targeted && c.Set != 0 {
		return c, true
	}
	return ReadControl(f), false
}

// dictionary reads a field that is a dictionary of structured fields (RFC 9651 section
// 3.2) whose numbers are where directives have numbers: another one is not heard at all.
// It gives the members that are set, without the parameters, which mean nothing here.
func dictionary(list []byte) (members []byte, ok bool) {
	for {
		item, rest := http1.NextItem(list)
		if len(item) == 0 {
			return members, true
		}
		list = rest
		key := 0
		for key < len(item) && keyChar(item[key], key == 0) {
			key++
		}
		if key == 0 || key < len(item) && item[key] != '=' && item[key] != ';' {
			return nil, false
		}
		name, value := item[:key], item[key:]
		value = value[:bareEnd(value)]
		switch string(value) {
		case "=?0":
			continue
		case "=?1":
			value = nil
		}
		if len(value) > 0 && !memberValue(name, value[1:]) {
			return nil, false
		}
		members = append(append(append(members, name...), value...), ',')
	}
}

// bareEnd is where the parameters of a member begin.
func bareEnd(value []byte) int {
	quoted := false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ';' && !quoted:
			return i
		}
	}
	return len(value)
}

func keyChar(c byte, first bool) bool {
	return 'a' <= c && c <= 'z' || c == '*' || !first && ('0' <= c && c <= '9' || c == '_' || c == '-' || c == '.')
}

// memberValue reports whether a value is one the directive can have.
func memberValue(key, value []byte) bool {
	for i := range directives {
		if d := &directives[i]; string(key) == d.name && d.bit >= MaxAge {
			_, ok := http1.ParseLength(value)
			return ok
		}
	}
	return len(value) > 0
}
