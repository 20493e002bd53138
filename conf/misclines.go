package conf

import (
	"fmt"
	"strconv"
	"strings"
)

var whitespaceWords = []string{"strip", "deny", "allow", "encode", "chop"} // in the order of URIWhitespace

func uriWhitespace(field func(*Config) *URIWhitespace) kind {
	return kind{name: "strip|deny|allow|encode|chop", single: true,
		set: func(r *reader) error {
			w, err := r.need("a choice")
			if err != nil {
				return err
			}
			for i, name := range whitespaceWords {
				if strings.EqualFold(w, name) {
					*field(r.b.cfg) = URIWhitespace(i)
					return nil
				}
			}
			return r.unknownWord("choice", w, whitespaceWords)
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, whitespaceWords[*field(c)]) }}
}

// errorMaps is the grammar of error_map: numbers only (fact dir_error_map_bad_name).
func errorMaps(field func(*Config) *[]ErrorMap) kind {
	return kind{name: "url status…",
		set: func(r *reader) error {
			url, err := r.need("the URL")
			if err != nil {
				return err
			}
			m := ErrorMap{URL: url, Pos: r.namePos()}
			for {
				w, ok := r.word()
				if !ok {
					break
				}
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
			list := field(r.b.cfg)
			*list = append(*list, m)
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, m := range *field(c) {
				list := []string{m.URL}
				for _, s := range m.Status {
					list = append(list, strconv.Itoa(s))
				}
				d.line(name, list...)
			}
		}}
}

func denyInfos(field func(*Config) *[]DenyInfo) kind {
	return kind{name: "page|url acl…",
		set: func(r *reader) error {
			page, ok := r.word()
			if !ok {
				r.sayWhere()
				r.say("aclParseDenyInfoLine: missing 'error page' parameter.")
				r.warn("deny-info", "the page is missing; the line is skipped", "", "")
				return nil
			}
			d := DenyInfo{Page: page, Pos: r.namePos()}
			for {
				w, ok := r.word()
				if !ok {
					break
				}
				if len(w) > maxACLName {
					w = w[:maxACLName]
				}
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
			list := field(r.b.cfg)
			*list = append(*list, d)
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, info := range *field(c) {
				d.line(name, info.Page, strings.Join(info.ACLs, " "))
			}
		}}
}

func cachemgrPasswords(field func(*Config) *[]CachemgrPasswd) kind {
	return kind{name: "password [action…]",
		set: func(r *reader) error {
			w, err := r.need("the password")
			if err != nil {
				return err
			}
			p := CachemgrPasswd{Password: w, Actions: r.wordList(), Pos: r.namePos()}
			list := field(r.b.cfg)
			for _, old := range *list {
				for _, a := range old.Actions {
					for _, b := range p.Actions {
						if a == b {
							r.say("WARNING: action '%s' (line %d) already has a password", b, r.number)
							r.warn("cachemgr-action", fmt.Sprintf("action %s has a password already (%v); the first counts", b, old.Pos), "", "")
						}
					}
				}
			}
			*list = append(*list, p)
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, p := range *field(c) {
				pass := p.Password
				if pass != "none" && pass != "disable" {
					pass = d.secret(pass)
				}
				d.line(name, strings.TrimSpace(pass+" "+quoteWords(p.Actions)))
			}
		}}
}

// knownMethods are the request methods 2.6 knows, and maxMethods how many can be added.
var knownMethods = []string{"GET", "POST", "PUT", "HEAD", "CONNECT", "TRACE", "PURGE", "OPTIONS", "DELETE", "PROPFIND",
	"PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "BMOVE", "BDELETE", "BPROPFIND", "BPROPPATCH", "BCOPY",
	"SEARCH", "SUBSCRIBE", "UNSUBSCRIBE", "POLL", "REPORT", "MKACTIVITY", "CHECKOUT", "MERGE"}

const maxMethods = 20

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
	next:
		for {
			w, ok := r.quotedWord()
			if !ok {
				return nil
			}
			list := field(r.b.cfg)
			for _, known := range [][]string{knownMethods, *list} {
				for _, m := range known {
					if m == w {
						continue next
					}
				}
			}
			if len(*list) == maxMethods {
				r.warn("methods-full", fmt.Sprintf("%s is not added: %d methods is all that can be", w, maxMethods), "", "")
				continue
			}
			*list = append(*list, w)
		}
	}
	return k
}
