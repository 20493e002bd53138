package conf

import (
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf/ere"
)

// warnValue explains a value of an acl line, at its own place when it came from a file.
func (r *reader) warnValue(v aclValue, check, summary, detail, suggestion string) {
	if !v.file {
		r.warnAt(v.span, check, summary, detail, suggestion)
		return
	}
	r.b.diagnose(v.diagnostic(Diagnostic{Severity: Warning, Check: check, Summary: summary, Detail: detail, Suggestion: suggestion}))
}

// regexes reads patterns up to the end of the line; -i and +i switch case.
// A pattern the C library refuses is told and skipped (fact acl_url_regex_04).
func (r *reader) regexes(list *Regexes) error {
	icase := false
	for {
		v, ok := r.value()
		switch {
		case !ok:
			return nil
		case v.text == "-i":
			icase = true
			continue
		case v.text == "+i":
			icase = false
			continue
		}
		if err := ere.Check(v.text, icase); err != nil {
			r.sayWhere()
			r.say("aclParseRegexList: Invalid regular expression '%s': %v", v.text, err)
			r.warnValue(v, "regex-skipped", fmt.Sprintf("the pattern is skipped: %v", err), "", "")
			continue
		}
		if !list.fits(v.text) {
			return r.bungledAt(v.span, "the list of patterns is larger than 4 GB", "")
		}
		r.lintRegex(v)
		list.add(Regex{Pattern: v.text, ICase: icase, Pos: v.pos})
	}
}

func readRegexes(r *reader, a *ACL) error {
	return r.regexes(&a.Regexes)
}

// readHeader reads a header name and its patterns (req_header, rep_header).
func readHeader(r *reader, a *ACL) error {
	v, ok := r.value()
	if !ok {
		r.sayWhere()
		r.say("aclParseHeader: No data defined '%s'", "(null)")
		r.warn("acl-incomplete", "the header's name and its patterns are missing", "", "")
		return nil
	}
	var list Regexes
	if err := r.regexes(&list); err != nil {
		return err
	}
	if list.Len() == 0 {
		r.sayWhere()
		r.say("aclParseHeader: No pattern defined '%s'", v.text)
		r.warnValue(v, "acl-incomplete", "the header has no pattern; the line has no effect", "", "")
		return nil
	}
	a.Headers = append(a.Headers, HeaderRegex{Name: v.text, Regexes: list})
	return nil
}

func readNumbers(r *reader, a *ACL) error {
	for v := range each(r.value) {
		n, err := r.decimal(v.text, v.span)
		if err != nil {
			return err
		}
		a.Numbers = append(a.Numbers, n)
	}
	return nil
}

func readPorts(r *reader, a *ACL) error {
	for v := range each(r.value) {
		from, to, isRange := strings.Cut(v.text, "-")
		first, err := r.port16(from, v.span)
		if err != nil {
			return err
		}
		last := first
		if isRange {
			if last, err = r.port16(to, v.span); err != nil {
				return err
			}
		}
		if last < first {
			r.say("aclParsePortRange: Invalid port value")
			return r.bungledAt(v.span, fmt.Sprintf("the range %s is reversed", v.text), "")
		}
		a.Ports = append(a.Ports, PortRange{first, last})
	}
	return nil
}

var knownProtocols = map[string]string{
	"http": "http", "ftp": "ftp", "https": "https", "file": "ftp", "gopher": "gopher", "wais": "wais",
	"cache_object": "cache_object", "urn": "urn", "whois": "whois", "internal": "internal",
}

func readProtocols(r *reader, a *ACL) error {
	for v := range each(r.value) {
		p := knownProtocols[lowerASCII(v.text)]
		if p == "" {
			r.warnValue(v, "proto-unknown", fmt.Sprintf("%q is no protocol known here; it matches whatever is unknown", v.text), "", "")
		}
		a.Protocols = append(a.Protocols, p)
	}
	return nil
}

func readMethods(r *reader, a *ACL) error {
	for v := range each(r.value) {
		m := r.b.method(v.text)
		if m == "" {
			return &refusal{at: v.span, summary: fmt.Sprintf("unknown method %q", v.text),
				detail:     "Name further methods in extension_methods, in front of this line.",
				suggestion: nearest(v.text, knownMethods)}
		}
		a.Methods = append(a.Methods, m)
	}
	return nil
}

func readTypes(r *reader, a *ACL) error {
	r.b.state(a).filled = true // even without a word
	for v := range each(r.value) {
		switch v.text {
		case "accelerated", "accel":
			a.RequestTypes.Accelerated = true
		case "transparent":
			a.RequestTypes.Transparent = true
		case "internal", "auth":
			a.RequestTypes.Internal = true
		default:
			return &refusal{at: v.span, abort: fmt.Sprintf("unknown acl type argument '%s'\n", v.text),
				summary:    fmt.Sprintf("unknown request type %q", v.text),
				suggestion: nearest(v.text, []string{"accelerated", "transparent", "internal"})}
		}
	}
	return nil
}

func readWords(r *reader, a *ACL) error {
	for v := range each(r.value) {
		a.Words = append(a.Words, v.text)
	}
	return nil
}

// readUsers reads ident, proxy_auth and ext_user. Only the line's first word can
// be -i or REQUIRED; later ones are names.
func readUsers(r *reader, a *ACL) error {
	st := r.b.state(a)
	st.filled = true
	v, ok := r.value()
	if !ok {
		return nil
	}
	if st.users == nil {
		st.users = map[string]bool{}
	}
	add := func(name string) {
		if a.Users.ICase {
			name = lowerASCII(name)
		}
		if !st.users[name] {
			st.users[name] = true
			a.Users.Names = append(a.Users.Names, name)
		}
	}
	switch v.text {
	case "-i":
		a.Users.ICase = true
	case "REQUIRED":
		a.Users.Required = true
	default:
		add(v.text)
	}
	for v := range each(r.value) {
		if v.text == "REQUIRED" || v.text == "-i" {
			r.warnValue(v, "user-word", fmt.Sprintf("%s means something as the first word only; here it is a user's name", v.text), "", "")
		}
		add(v.text)
	}
	return nil
}

// readMaxUserIP reads max_user_ip. Later lines of the same name are ignored.
func readMaxUserIP(r *reader, a *ACL) error {
	st := r.b.state(a)
	if st.filled {
		r.warn("acl-repeated", "max_user_ip keeps the number of its first line", "", "")
		return nil
	}
	st.filled = true
	v, ok := r.value()
	if ok && v.text == "-s" {
		a.MaxUserIP.Strict = true
		v, ok = r.value()
	}
	if !ok {
		return r.bungled("the number of addresses is missing", "")
	}
	n, err := r.decimal(v.text, v.span)
	a.MaxUserIP.Max = n
	return err
}

// readMACs reads arp: six hexadecimal groups with colons (facts acl_arp_*).
func readMACs(r *reader, a *ACL) error {
	for v := range each(r.value) {
		digits := hexPrefix(v.text)
		mac, ok := scanMAC(digits)
		if !ok {
			if digits == "" {
				r.say("aclParseArpData: Bad ethernet address: '%s'", v.text)
			} else {
				r.say("decode_eth: Invalid ethernet address '%s'", digits)
				r.sayWhere()
				r.say("aclParseArpData: Ignoring invalid ARP acl entry: can't parse '%s'", digits)
			}
			r.warnValue(v, "acl-value-skipped", fmt.Sprintf("%q is no hardware address and is skipped", v.text), "Write 00:16:3e:00:00:01.", "")
			continue
		}
		known := false
		for _, m := range a.MACs {
			known = known || m == mac
		}
		if !known {
			a.MACs = append(a.MACs, mac)
		}
	}
	return nil
}

// hexPrefix is the leading part of s made of hexadecimal digits and colons.
func hexPrefix(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] != ':' && digitValue(s[i]) >= 16 {
			return s[:i]
		}
	}
	return s
}

func scanMAC(s string) (mac [6]byte, ok bool) {
	for i := range mac {
		if i > 0 {
			if s == "" || s[0] != ':' {
				return mac, false
			}
			s = s[1:]
		}
		v, n := cLong(s, 16)
		if n == 0 {
			return mac, false
		}
		mac[i] = byte(v)
		s = s[n:]
	}
	return mac, true
}

// readCert reads user_cert and ca_cert: an attribute and its values.
func readCert(r *reader, a *ACL) error {
	v, ok := r.value()
	if !ok {
		return r.bungled("the certificate attribute is missing", "")
	}
	st := r.b.state(a)
	if st.filled && !strings.EqualFold(a.Cert.Attribute, v.text) {
		return r.bungledAt(v.span, fmt.Sprintf("acl %s looks at attribute %s already", a.Name, a.Cert.Attribute), "")
	}
	if !st.filled {
		st.filled, a.Cert.Attribute = true, v.text
	}
	for v := range each(r.value) {
		a.Cert.Values = append(a.Cert.Values, v.text)
	}
	return nil
}

// readExternal reads external: the name of an external_acl_type and arguments.
func readExternal(r *reader, a *ACL) error {
	if a.External != nil {
		return r.bungledAt(r.all(), fmt.Sprintf("acl %s is external and cannot get a second line", a.Name), "")
	}
	name, err := r.need("the name of an external_acl_type")
	if err != nil {
		return err
	}
	use := &ExternalUse{ACL: a.Name}
	var names []string
	for _, t := range r.b.cfg.ExternalACLTypes {
		names = append(names, t.Name)
		if t.Name == name && use.Type == nil {
			use.Type = t
		}
	}
	if use.Type == nil {
		return r.unknownWord("external_acl_type", name, names)
	}
	for v := range each(r.value) {
		use.Args = append(use.Args, v.text)
	}
	a.External = use
	return nil
}

// readTimes reads time: day letters and hours (facts acl_time_*).
func readTimes(r *reader, a *ACL) error {
	days := uint8(0)
	for v := range each(r.value) {
		if !isDigit(v.text[0]) {
			if err := r.days(v, &days); err != nil {
				return err
			}
			continue
		}
		t, err := r.hours(v)
		if err != nil {
			return err
		}
		t.Days, days = days, 0
		if t.Days == 0 {
			t.Days = 0x7f
		}
		a.Times = append(a.Times, t)
	}
	if days != 0 {
		a.Times = append(a.Times, TimeSpec{Days: days, Start: 0, Stop: 24 * 60})
	}
	return nil
}

// dayBits maps day letters to bits of TimeSpec.Days; D is Monday to Friday.
var dayBits = map[byte]uint8{'S': 1, 'M': 2, 'T': 4, 'W': 8, 'H': 16, 'F': 32, 'A': 64, 'D': 62, '-': 0}

func (r *reader) days(v aclValue, days *uint8) error {
	for i := 0; i < len(v.text); i++ {
		bits, ok := dayBits[v.text[i]]
		if !ok {
			r.sayWhere()
			r.say("aclParseTimeSpec: Bad Day '%s'", v.text[i:i+1])
			return r.bungledAt(v.span, fmt.Sprintf("%q is no day letter", v.text[i:i+1]),
				"Days are S M T W H F A (Sunday to Saturday) and D for Monday to Friday.")
		}
		*days |= bits
	}
	if strings.Contains(v.text, "-") {
		r.warnValue(v, "day-range", fmt.Sprintf("the dash in %q is ignored: it names its letters only, not the days between", v.text), "", "")
	}
	return nil
}

func (r *reader) hours(v aclValue) (TimeSpec, error) {
	var n [4]int64
	s, ok := v.text, true
	for i, sep := range ":-:" + "\x00" {
		x, used := cLong(s, 10)
		if used == 0 {
			ok = false
			break
		}
		n[i], s = int64(int32(x)), s[used:]
		if i == 3 {
			break
		}
		if s == "" || rune(s[0]) != sep {
			ok = false
			break
		}
		s = s[1:]
	}
	in := func(v, max int64) bool { return v >= 0 && v < max }
	ok = ok && in(n[0], 24) && in(n[1], 60) && in(n[3], 60) && (in(n[2], 24) || n[2] == 24 && n[3] == 0)
	if !ok {
		r.say("aclParseTimeSpec: ERROR: Bad time range '%s'", v.text)
		return TimeSpec{}, r.bungledAt(v.span, fmt.Sprintf("%q is no time range", v.text), "Ranges are written 08:00-17:30; the end may be 24:00.")
	}
	t := TimeSpec{Start: int(n[0]*60 + n[1]), Stop: int(n[2]*60 + n[3])}
	if t.Start > t.Stop {
		r.say("aclParseTimeSpec: ERROR: Reversed time range in%s line %d: %s", r.b.base, r.number, r.quoted)
		return t, r.bungledAt(v.span, fmt.Sprintf("the range %s is reversed", v.text), "A range over midnight takes two values: 22:00-24:00 00:00-06:00.")
	}
	return t, nil
}
