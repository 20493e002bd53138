package freshness

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// entityTag reports whether a text is an entity tag (RFC 9110 section 8.8.3).
func entityTag[T ~string | ~[]byte](tag T) bool {
	if len(tag) >= 2 && tag[0] == 'W' && tag[1] == '/' {
		tag = tag[2:]
	}
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return false
	}
	for i := 1; i < len(tag)-1; i++ {
		if c := tag[i]; c <= ' ' || c == '"' || c == 127 {
			return false
		}
	}
	return true
}

// strongTag reports whether a text is an entity tag that is not weak.
func strongTag(tag []byte) bool { return len(tag) > 0 && tag[0] == '"' && entityTag(tag) }

// listHasTag reports whether the If-None-Match fields list the tag. 2.6 compares
// tags as they stand, weak ones with weak ones (cache/inm-weak), and "*" matches
// nothing (cache/inm-hit): both answer with an object where a 304 would do.
func listHasTag(f *http1.Fields, tag []byte) bool {
	return len(tag) > 0 && fieldHasTag(f, http1.IfNoneMatch, tag)
}

// Matches reports whether the If-Match fields of a request list the entity tag of a stored
// reply. 2.6 takes "*" for no tag; a weak tag matches nothing (RFC 9110 section 13.1.1).
func Matches(req, stored *http1.Fields) bool {
	tag := stored.Get(http1.ETag)
	return strongTag(tag) && fieldHasTag(req, http1.IfMatch, tag)
}

func fieldHasTag(f *http1.Fields, name http1.Name, tag []byte) bool {
	for i := range f.Len() {
		if f.ID(i) != name {
			continue
		}
		for list := f.Value(i); ; {
			item, rest := http1.NextItem(list)
			if len(item) == 0 {
				break
			}
			if string(item) == string(tag) {
				return true
			}
			list = rest
		}
	}
	return false
}
