package conf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// accessList is the grammar of the directives that allow and deny.
func accessList(field func(*Config) *AccessList) kind {
	rules := func(c *Config) *[]AccessRule { return (*[]AccessRule)(field(c)) }
	k := lines("allow|deny [!]acl…", rules, func(r *reader, add func(AccessRule)) error {
		rule, err := r.accessRule()
		if rule != nil {
			add(*rule)
		}
		return err
	}, func(_ *dumper, rule AccessRule) []string { return []string{ruleWords(rule)} })
	k.access = field
	return k
}

func ruleWords(rule AccessRule) string {
	verb := "deny"
	if rule.Allow {
		verb = "allow"
	}
	return verb + refWords(rule.ACLs)
}

// refWords writes ACL references, each with a blank in front.
func refWords(refs []ACLRef) string {
	var b strings.Builder
	for _, ref := range refs {
		b.WriteByte(' ')
		if ref.Negate {
			b.WriteByte('!')
		}
		b.WriteString(ref.Name)
	}
	return b.String()
}

// accessRule reads allow or deny and ACL names. A missing or misspelt verb and a
// missing list are told and skip the line: rule is nil (facts acc_allow_upper,
// acc_noacl). An ACL that is not defined yet refuses the line.
func (r *reader) accessRule() (*AccessRule, error) {
	verb, ok := r.word()
	if !ok {
		r.sayWhere()
		r.say("aclParseAccessLine: missing 'allow' or 'deny'.")
		r.warn("access-skipped", "allow or deny is missing; the line is skipped", "", "")
		return nil, nil
	}
	if verb != "allow" && verb != "deny" {
		r.sayWhere()
		r.say("aclParseAccessLine: expecting 'allow' or 'deny', got '%s'.", verb)
		r.warn("access-skipped", fmt.Sprintf("%q is neither allow nor deny; the line is skipped", verb),
			"The verbs are lower case. A skipped deny leaves open what it should close.",
			nearest(strings.ToLower(verb), []string{"allow", "deny"}))
		return nil, nil
	}
	verbAt := r.here()
	refs, err := r.aclRefs()
	if err != nil {
		return nil, err
	}
	if refs == nil {
		r.sayWhere()
		r.say("aclParseAccessLine: Access line contains no ACL's, skipping")
		r.warnAt(verbAt, "access-skipped", "no ACL is named; the line is skipped", "", "")
		return nil, nil
	}
	rule := &AccessRule{Allow: verb == "allow", ACLs: refs, Pos: r.namePos()}
	if r.line != nil {
		rule.Text = strings.TrimSpace(r.line.Text())
	}
	return rule, nil
}

// aclRefs reads the remaining words as names of ACLs.
func (r *reader) aclRefs() ([]ACLRef, error) {
	var refs []ACLRef
	for {
		w, ok := r.word()
		if !ok {
			return refs, nil
		}
		name, negate := strings.CutPrefix(w, "!")
		a := r.b.acls[lowerASCII(name)]
		if a == nil {
			r.say("ACL name '%s' not defined!", name)
			refused := r.undefinedACL(w, name)
			r.useOthers()
			return nil, refused
		}
		r.b.used[a] = true
		refs = append(refs, ACLRef{Name: a.Name, Negate: negate, ACL: a})
	}
}

// useOthers counts the ACLs behind an unknown one as used, which they are once
// that one is mended.
func (r *reader) useOthers() {
	for w, ok := r.word(); ok; w, ok = r.word() {
		if a := r.b.acls[lowerASCII(strings.TrimPrefix(w, "!"))]; a != nil {
			r.b.used[a] = true
		}
	}
}

func (r *reader) undefinedACL(w, name string) error {
	e := &refusal{at: r.here(), summary: fmt.Sprintf("acl %s is not defined in front of this line", name)}
	var names []string
	for _, a := range r.b.cfg.ACLs {
		names = append(names, a.Name)
	}
	switch at, refused := r.b.refusedACLs[lowerASCII(name)]; {
	case refused:
		e.detail = fmt.Sprintf("Its definition (%v) is refused; this follows from it.", at)
	case w == "!":
		e.summary, e.detail = "the ! stands alone", "It must touch the name."
	case strings.HasPrefix(w, "#"):
		e.detail = "Comments begin in column one only; here the words behind # are read as names."
	case strings.EqualFold(name, "all"), strings.EqualFold(name, "localhost"), strings.EqualFold(name, "manager"), strings.EqualFold(name, "to_localhost"):
		e.detail = "There are no built-in ACLs. Define it first: " + classicACL[lowerASCII(name)]
	default:
		e.suggestion = nearest(name, names)
		if at, later := r.b.aclPlaces()[lowerASCII(name)]; later {
			e.detail, e.suggestion = fmt.Sprintf("It is defined too late (%v).", at), ""
		}
	}
	return e
}

// aclPlaces are the places of all acl lines of the main file, by name in lower case.
func (b *builder) aclPlaces() map[string]parser.Pos {
	if b.allACLs == nil {
		b.allACLs = map[string]parser.Pos{}
		for _, l := range b.file.Lines {
			if l.Directive == "acl" && len(l.Args.Words) > 0 {
				b.allACLs[lowerASCII(l.Args.Words[0].Text)] = l.NamePos()
			}
		}
	}
	return b.allACLs
}

// classicACL are the definitions later releases have built in.
var classicACL = map[string]string{
	"all":          "acl all src 0.0.0.0/0.0.0.0",
	"manager":      "acl manager proto cache_object",
	"localhost":    "acl localhost src 127.0.0.1/255.255.255.255",
	"to_localhost": "acl to_localhost dst 127.0.0.0/8",
}

// bodySizes is the grammar of reply_body_max_size.
func bodySizes(field func(*Config) *[]BodySizeRule) kind {
	return lines("bytes allow|deny [!]acl…", field, func(r *reader, add func(BodySizeRule)) error {
		w, err := r.need("a number of bytes")
		if err != nil {
			return err
		}
		v, n := cLong(w, 0)
		if n == 0 {
			return r.bungled(fmt.Sprintf("%q is not a number", w), "")
		}
		rule, err := r.accessRule()
		if err != nil {
			return err
		}
		add(BodySizeRule{Max: v, Rule: rule, Pos: r.namePos()})
		return nil
	}, func(_ *dumper, b BodySizeRule) []string {
		list := []string{strconv.FormatInt(b.Max, 10)}
		if b.Rule != nil {
			list = append(list, ruleWords(*b.Rule))
		}
		return list
	})
}

// outgoingTOS is the grammar of tcp_outgoing_tos (facts acc_tos_upper, dir_tcp_outgoing_tos_*).
func outgoingTOS(field func(*Config) *[]TOSRule) kind {
	return lines("0x00-0xff [!]acl…", field, func(r *reader, add func(TOSRule)) error {
		w, err := r.need("a hexadecimal number")
		if err != nil {
			return err
		}
		digits, ok := strings.CutPrefix(w, "0x")
		v, n := cLong(digits, 16)
		if !ok || n == 0 || n != len(digits) {
			return r.bungled(fmt.Sprintf("%q is not a hexadecimal number", w), "Write 0x (lower case) and one or two digits.")
		}
		if v = int64(int32(v)); v < 0 || v > 255 {
			return r.bungled(fmt.Sprintf("%s is out of range", w), "The octet goes from 0x00 to 0xff.")
		}
		refs, err := r.aclRefs()
		if err == nil {
			add(TOSRule{TOS: uint8(v), ACLs: refs, Pos: r.namePos()})
		}
		return err
	}, func(_ *dumper, rule TOSRule) []string {
		return []string{fmt.Sprintf("0x%02x%s", rule.TOS, refWords(rule.ACLs))}
	})
}

// outgoingAddress is the grammar of tcp_outgoing_address.
func outgoingAddress(field func(*Config) *[]AddressRule) kind {
	return lines("address [!]acl…", field, func(r *reader, add func(AddressRule)) error {
		a, err := r.address()
		if err != nil {
			return err
		}
		refs, err := r.aclRefs()
		if err == nil {
			add(AddressRule{Addr: a, ACLs: refs, Pos: r.namePos()})
		}
		return err
	}, func(_ *dumper, rule AddressRule) []string { return []string{rule.Addr.String() + refWords(rule.ACLs)} })
}
