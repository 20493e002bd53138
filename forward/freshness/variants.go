package freshness

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// VariantsType is the Content-Type of the object that 2.6 stores under the plain
// key of a URL whose replies vary: its body lists them (see ParseVariants).
const VariantsType = "x-squid-internal/vary"

// VariantsLife is how long 2.6 keeps such an object after its last change, in
// seconds.
const VariantsLife = 100000

// Variant is one stored reply of a URL whose replies vary.
type Variant struct {
	// Key is the store key of the reply, MD5.
	Key [16]byte
	// ETag is its entity tag as sent, "" without one.
	ETag string
	// Data are the selections (AppendVaryData) that get this reply.
	Data []string
}

// The bounds of a list. What is beyond is not added, and a list beyond them is not
// read.
const (
	mostVariants   = 512
	mostSelections = 4096
	longestLine    = 64 << 10
)

// ParseVariants reads the body of such an object: lines "Key: 32 HEX DIGITS", then
// "ETag: TEXT" where there is one, then "VaryData: TEXT" for each selection.
func ParseVariants(body []byte) ([]Variant, error) {
	var list []Variant
	selections := 0
	for n := 1; len(body) > 0; n++ {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(": "))
		if !ok || len(line) > longestLine {
			return nil, fmt.Errorf("list of variants, line %d: no field", n)
		}
		if string(name) == "Key" {
			var v Variant
			if len(value) != 32 || len(list) == mostVariants {
				return nil, fmt.Errorf("list of variants, line %d: %d keys, the last of %d digits", n, len(list)+1, len(value))
			}
			if _, err := hex.Decode(v.Key[:], value); err != nil {
				return nil, fmt.Errorf("list of variants, line %d: %w", n, err)
			}
			list = append(list, v)
			continue
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("list of variants, line %d: no key before it", n)
		}
		switch last := &list[len(list)-1]; string(name) {
		case "ETag":
			last.ETag = string(value)
		case "VaryData":
			if selections++; selections > mostSelections {
				return nil, fmt.Errorf("list of variants: more than %d selections", mostSelections)
			}
			last.Data = append(last.Data, string(value))
		}
	}
	return list, nil
}

// AppendVariants appends a list as ParseVariants reads it.
func AppendVariants(dst []byte, list []Variant) []byte {
	for i := range list {
		v := &list[i]
		dst = append(dst, "Key: "...)
		dst = append(dst, strings.ToUpper(hex.EncodeToString(v.Key[:]))...)
		dst = append(dst, '\n')
		if v.ETag != "" {
			dst = append(append(append(dst, "ETag: "...), v.ETag...), '\n')
		}
		for _, d := range v.Data {
			dst = append(append(append(dst, "VaryData: "...), d...), '\n')
		}
	}
	return dst
}

// FindVariant is the key of the variant for a selection in a list as ParseVariants reads
// it. It allocates nothing.
func FindVariant(body, data []byte) (key [16]byte, found bool) {
	var at []byte // the digits of the last key
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(": "))
		switch string(name) {
		case "Key":
			at = value
		case "VaryData":
			if len(at) == 32 && bytes.Equal(value, data) {
				_, err := hex.Decode(key[:], at)
				return key, err == nil
			}
		}
	}
	return key, false
}

// SelectVariant is the index of the variant for a selection, -1 for none.
func SelectVariant(list []Variant, data []byte) int {
	for i := range list {
		for _, d := range list[i].Data {
			if d == string(data) {
				return i
			}
		}
	}
	return -1
}

// TaggedVariant is the index of the variant with an entity tag, -1 for none: the
// one a 304 with this tag speaks of.
func TaggedVariant(list []Variant, etag []byte) int {
	for i := range list {
		if list[i].ETag != "" && list[i].ETag == string(etag) {
			return i
		}
	}
	return -1
}

// AddVariant enters that a selection gets the reply with a key. A selection belongs
// to one variant only; one that nothing selects any more goes, and so do the
// oldest when there are too many.
func AddVariant(list []Variant, v Variant) []Variant {
	kept, found := list[:0:0], false
	for _, old := range list {
		if old.Key == v.Key {
			v.Data = append(v.Data[:len(v.Data):len(v.Data)], without(old.Data, v.Data)...)
			old, found = v, true
		} else {
			old.Data = without(old.Data, v.Data)
		}
		if len(old.Data) > 0 {
			kept = append(kept, old)
		}
	}
	if !found {
		kept = append(kept, v)
	}
	return bounded(kept)
}

// bounded leaves the oldest out of a list that is too long; the last one stays.
func bounded(list []Variant) []Variant {
	selections := 0
	for i := len(list) - 1; i >= 0; i-- {
		list[i].Data = list[i].Data[:min(len(list[i].Data), mostSelections)]
		if selections += len(list[i].Data); selections > mostSelections || len(list)-i > mostVariants {
			return list[i+1:]
		}
	}
	return list
}

func without(data, gone []string) []string {
	var kept []string
	for _, d := range data {
		if !contains(gone, d) {
			kept = append(kept, d)
		}
	}
	return kept
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// AppendVariantTags appends the entity tags of a list for If-None-Match, behind those of
// the client, so that a 304 can say which of them is right for a new selection
// (cache/vary-etag). Tags that are no entity tags are left out, and nothing is
// appended when none is left.
func AppendVariantTags(dst []byte, req *http1.Fields, list []Variant) []byte {
	start := len(dst)
	dst = req.AppendList(dst, http1.IfNoneMatch)
	own := len(dst)
	for i := range list {
		tag := list[i].ETag
		if !entityTag(tag) || listHasTag(req, []byte(tag)) {
			continue
		}
		if len(dst)-own+len(tag) > longestTags {
			break
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, tag...)
	}
	if len(dst) == own {
		return dst[:start]
	}
	return dst
}

// AskedAbout reports whether a 304 to a request with tags of variants in it
// (AppendVariantTags) is about what the client itself has: its date does not count beside
// entity tags (RFC 9110 section 13.1.3).
func AskedAbout(req, notModified *http1.Fields) bool {
	if !req.Has(http1.IfNoneMatch) {
		return false
	}
	tag := notModified.Get(http1.ETag)
	return tag == nil || listHasTag(req, tag) || req.ListHas(http1.IfNoneMatch, "*")
}

// longestTags bounds what is added to a request head, which must stay one that origins
// take, in bytes.
const longestTags = 4096
