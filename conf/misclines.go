package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var whitespaceWords = []string{"strip", "deny", "allow", "encode", "chop"} // in the order of URIWhitespace

func uriWhitespace(field func(*Config) *URIWhitespace) kind {
	return single("strip|deny|allow|encode|chop", field, func(r *reader) (URIWhitespace, error) {
		w, err := r.need("a choice")
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(whitespaceWords, func(name string) bool { return strings.EqualFold(w, name) })
		if i < 0 {
			return 0, r.unknownWord("choice", w, whitespaceWords)
		}
		return URIWhitespace(i), nil
	}, func(v URIWhitespace) string { return whitespaceWords[v] })
}

// errorMaps is the grammar of error_map: numbers only (fact dir_error_map_bad_name).
func errorMaps(field func(*Config) *[]ErrorMap) kind {
	return lines("url status…", field, func(r *reader, add func(ErrorMap)) error {
		url, err := r.need("the URL")
		if err != nil {
			return err
		}
		m := ErrorMap{URL: url, Pos: r.namePos()}
		for w := range each(r.word) {
			n, err := r.decimal(w, r.here())
			if err != nil {
				return err
			}
			if n == 0 {
				r.say("WARNING: Unknown errormap code: %s", w)
				r.warn("error-map", "0 is no status code", "", "")
			}
			m.Status = append(m.Status, n)
		}
		add(m)
		return nil
	}, func(_ *dumper, m ErrorMap) []string {
		return append([]string{m.URL}, mapWords(m.Status, strconv.Itoa)...)
	})
}

func denyInfos(field func(*Config) *[]DenyInfo) kind {
	return lines("page|url acl…", field, func(r *reader, add func(DenyInfo)) error {
		page, ok := r.word()
		if !ok {
			r.sayWhere()
			r.say("aclParseDenyInfoLine: missing 'error page' parameter.")
			r.warn("deny-info", "the page is missing; the line is skipped", "", "")
			return nil
		}
		d := DenyInfo{Page: page, Pos: r.namePos()}
		for w := range each(r.word) {
			w = w[:min(len(w), maxACLName)]
			if r.b.acls[lowerASCII(w)] == nil {
				r.warn("deny-info", fmt.Sprintf("acl %s is not defined in front of this line", w), "", "")
			}
			d.ACLs = append(d.ACLs, w)
		}
		if d.ACLs == nil {
			r.sayWhere()
			r.say("aclParseDenyInfoLine: deny_info line contains no ACL's, skipping")
			r.warn("deny-info", "no ACL is named; the line is skipped", "", "")
			return nil
		}
		add(d)
		return nil
	}, func(_ *dumper, d DenyInfo) []string { return append([]string{d.Page}, d.ACLs...) })
}

func cachemgrPasswords(field func(*Config) *[]CachemgrPasswd) kind {
	return lines("password [action…]", field, func(r *reader, add func(CachemgrPasswd)) error {
		w, err := r.need("the password")
		if err != nil {
			return err
		}
		p := CachemgrPasswd{Password: w, Pos: r.namePos()}
		var spans []span
		for a := range each(r.quotedWord) {
			p.Actions, spans = append(p.Actions, a), append(spans, r.here())
		}
		for _, old := range *field(r.b.cfg) {
			for _, taken := range old.Actions {
				for i, a := range p.Actions {
					if a == taken {
						r.say("WARNING: action '%s' (line %d) already has a password", a, r.number)
						r.warnAt(spans[i], "cachemgr-action", fmt.Sprintf("action %s has a password already (%v); the first counts", a, old.Pos), "", "")
					}
				}
			}
		}
		add(p)
		return nil
	}, func(d *dumper, p CachemgrPasswd) []string {
		pass := p.Password
		if pass != "none" && pass != "disable" {
			pass = d.secret(pass)
		}
		return []string{pass, quoteWords(p.Actions)}
	})
}

// method finds a method by name without regard to case, "" for none.
func (b *builder) method(name string) string {
	for _, list := range [][]string{knownMethods, b.cfg.ExtensionMethods} {
		for _, m := range list {
			if strings.EqualFold(m, name) {
				return m
			}
		}
	}
	return ""
}

func extensionMethods(field func(*Config) *[]string) kind {
	k := words(field)
	k.name = "method…"
	k.set = func(r *reader) error {
		list := field(r.b.cfg)
		for w := range each(r.quotedWord) {
			switch {
			case slices.Contains(knownMethods, w) || slices.Contains(*list, w):
			case len(*list) == maxMethods:
				r.warn("methods-full", fmt.Sprintf("%s is not added: %d methods is all that can be", w, maxMethods), "", "")
			default:
				*list = append(*list, w)
			}
		}
		return nil
	}
	return k
}
