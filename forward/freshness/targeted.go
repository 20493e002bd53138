package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// targetField is for caches in front of origins alone (RFC 9213).
const targetField = "CDN-Cache-Control"

// readReply reads what a reply says: for an accelerator CDN-Cache-Control in the place
// of Cache-Control, Pragma and Expires, where there is one. targeted says so.
func readReply(f *http1.Fields, accelerated bool) (c Control, targeted bool) {
	if accelerated {
		for i := range f.Len() {
			if f.ID(i) == http1.Other && http1.EqualFold(f.Key(i), targetField) {
				if !dictionary(f.Value(i)) {
					return ReadControl(f), false
				}
				c.read(f.Value(i))
				targeted = true
			}
		}
	}
	if targeted && c.Set != 0 {
		return c, true
	}
	return ReadControl(f), false
}

// dictionary reports whether a field is a dictionary of structured fields (RFC 9651
// section 3.2) whose numbers are where directives have numbers: another one is not
// heard at all.
func dictionary(list []byte) bool {
	for {
		item, rest := http1.NextItem(list)
		if len(item) == 0 {
			return true
		}
		key := 0
		for key < len(item) && keyChar(item[key], key == 0) {
			key++
		}
		if key == 0 || key < len(item) && item[key] != '=' && item[key] != ';' {
			return false
		}
		if key < len(item) && item[key] == '=' && !memberValue(item[:key], item[key+1:]) {
			return false
		}
		list = rest
	}
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
