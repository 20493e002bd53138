package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// authParam is one parameter of one or more schemes.
type authParam struct {
	name    string
	schemes string // the schemes that know it, separated by blanks
	kind    kind
}

// Each parameter has the grammar of a directive, on fields of the scheme at hand.
func authParams(s *AuthScheme) []authParam {
	one := func(p *int) func(*Config) *int { return func(*Config) *int { return p } }
	flag := func(p *bool) func(*Config) *bool { return func(*Config) *bool { return p } }
	span := func(p *time.Duration) func(*Config) *time.Duration { return func(*Config) *time.Duration { return p } }
	return []authParam{
		{"program", "basic digest ntlm negotiate", authProgram(&s.Program)},
		{"children", "basic digest ntlm negotiate", number(one(&s.Children))},
		{"concurrency", "basic digest", number(one(&s.Concurrency))},
		{"realm", "basic digest", text(func(*Config) *string { return &s.Realm })},
		{"credentialsttl", "basic", duration(span(&s.CredentialsTTL))},
		{"casesensitive", "basic", onOff(flag(&s.CaseSensitive))},
		{"blankpassword", "basic", onOff(flag(&s.BlankPassword))},
		{"nonce_garbage_interval", "digest", duration(span(&s.NonceGarbageInterval))},
		{"nonce_max_duration", "digest", duration(span(&s.NonceMaxDuration))},
		{"nonce_max_count", "digest", number(one(&s.NonceMaxCount))},
		{"nonce_strictness", "digest", onOff(flag(&s.NonceStrictness))},
		{"check_nonce_count", "digest", onOff(flag(&s.CheckNonceCount))},
		{"post_workaround", "digest", onOff(flag(&s.PostWorkaround))},
		{"keep_alive", "ntlm negotiate", onOff(flag(&s.KeepAlive))},
	}
}

// authProgram replaces an earlier program (fact auth_program_twice).
func authProgram(p *[]string) kind {
	return kind{
		set: func(r *reader) error {
			*p = r.wordList()
			return nil
		},
		dump: func(_ *Config, d *dumper, name string) {
			if *p != nil {
				d.line(name, quoteWords(*p))
			}
		}}
}

var authSchemeNames = []string{"basic", "digest", "ntlm", "negotiate"}

func newAuthScheme(name string) *AuthScheme {
	s := &AuthScheme{Name: name, Children: 5}
	const realm = "Squid proxy-caching web server"
	switch name {
	case "basic":
		s.Realm, s.CredentialsTTL = realm, 2*time.Hour
	case "digest":
		s.Realm, s.NonceGarbageInterval, s.NonceMaxDuration = realm, 5*time.Minute, 30*time.Minute
		s.NonceMaxCount, s.CheckNonceCount = 50, true
	default:
		s.KeepAlive = true
	}
	return s
}

// ready reports whether the scheme can be used: it has a program and helpers.
func (s *AuthScheme) ready() bool {
	return s.Program != nil && s.Children != 0 && s.NonceMaxDuration >= 0
}

// authReady reports whether any scheme is, which acl proxy_auth needs.
func (c *Config) authReady() bool {
	for _, s := range c.AuthSchemes {
		if s.ready() {
			return true
		}
	}
	return false
}

func authSchemes(field func(*Config) *[]*AuthScheme) kind {
	return kind{name: "scheme parameter value…",
		set: func(r *reader) error {
			word, err := r.need("the scheme")
			if err != nil {
				return err
			}
			wordAt := r.here()
			param, err := r.need("the parameter")
			if err != nil {
				return err
			}
			name := ""
			for _, n := range authSchemeNames {
				if foldPrefix(word, n) {
					name = n
					break
				}
			}
			if name == "" {
				r.say("Parsing Config File: Unknown authentication scheme '%s'.", word)
				r.warnAt(wordAt, "auth-scheme", fmt.Sprintf("unknown scheme %q; the line is skipped", word), "", nearest(word, authSchemeNames))
				return nil
			}
			return r.authParam(r.authScheme(field(r.b.cfg), name), param)
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, s := range *field(c) {
				for _, p := range authParams(s) {
					if knows(p, s.Name) {
						p.kind.dump(c, d, name+" "+s.Name+" "+p.name)
					}
				}
			}
		}}
}

func knows(p authParam, scheme string) bool {
	return strings.Contains(" "+p.schemes+" ", " "+scheme+" ")
}

func (r *reader) authScheme(list *[]*AuthScheme, name string) *AuthScheme {
	for _, s := range *list {
		if s.Name == name {
			return s
		}
	}
	s := newAuthScheme(name)
	s.Pos = r.namePos()
	*list = append(*list, s)
	return s
}

func (r *reader) authParam(s *AuthScheme, param string) error {
	var names []string
	for _, p := range authParams(s) {
		if !knows(p, s.Name) {
			continue
		}
		if names = append(names, p.name); strings.EqualFold(p.name, param) {
			return p.kind.set(r)
		}
	}
	r.say("unrecognised %s auth scheme parameter '%s'", s.Name, param)
	r.warn("auth-param", fmt.Sprintf("auth_param %s has no parameter %q; the line is skipped", s.Name, param), "", nearest(param, names))
	return nil
}

// externalACLs is the grammar of external_acl_type.
func externalACLs(field func(*Config) *[]*ExternalACL) kind {
	return lines("name [option…] %code… program [argument…]", field, func(r *reader, add func(*ExternalACL)) error {
		e, err := r.externalACL()
		if err == nil {
			add(e)
		}
		return err
	}, func(_ *dumper, e *ExternalACL) []string { return e.words() })
}

func (r *reader) externalACL() (*ExternalACL, error) {
	e := &ExternalACL{TTL: 3600, NegativeTTL: -1, Children: 5, Pos: r.namePos()}
	var err error
	if e.Name, err = r.need("the name"); err != nil {
		return nil, err
	}
	w, ok := r.word()
	for ok && r.externalOption(e, w) {
		w, ok = r.word()
	}
	if e.NegativeTTL == -1 {
		e.NegativeTTL = e.TTL
	}
	for ok && w[0] == '%' {
		f, err := r.externalFormat(w)
		if err != nil {
			return nil, err
		}
		e.Format = append(e.Format, f)
		w, ok = r.word()
	}
	if e.Format == nil {
		if ok {
			return nil, r.bungled(fmt.Sprintf("%q is neither an option nor a %% code", w), "At least one % code must stand in front of the program.")
		}
		return nil, r.bungled("a % code is missing", "At least one must say what the program is told.")
	}
	if !ok {
		return nil, r.bungled("the program is missing", "")
	}
	e.Program = append([]string{w}, r.wordList()...)
	return e, nil
}

// externalOption reads an option; numbers are not checked (facts ext_*).
func (r *reader) externalOption(e *ExternalACL, w string) bool {
	switch w {
	case "protocol=2.5", "quote=shell":
		e.QuoteShell = true
		return true
	case "protocol=3.0", "quote=url":
		e.QuoteShell = false
		return true
	}
	name, value, ok := strings.Cut(w, "=")
	into := map[string]*int{"ttl": &e.TTL, "negative_ttl": &e.NegativeTTL, "children": &e.Children,
		"concurrency": &e.Concurrency, "cache": &e.CacheSize, "grace": &e.Grace}[name]
	if !ok || into == nil {
		return false
	}
	v, n := cLong(value, 10)
	r.warnTail(value, n)
	*into = int(int32(v))
	return true
}

var externalCodes = []string{"LOGIN", "IDENT", "SRC", "SRCPORT", "MYADDR", "MYPORT", "DST", "PROTO", "PORT", "PATH",
	"METHOD", "EXT_USER", "ACL", "DATA"}

func (r *reader) externalFormat(w string) (ExternalFormat, error) {
	if header, ok := strings.CutPrefix(w, "%{"); ok {
		end := strings.IndexByte(header, '}')
		if end < 0 || end != len(header)-1 {
			return ExternalFormat{}, r.bungled("the closing brace is missing or not the last byte", "%{Header} or %{Header:member}")
		}
		f := ExternalFormat{Code: "HEADER"}
		name, member, has := strings.Cut(header[:end], ":")
		f.Header = name
		if has {
			f.Separator = ','
			if member == "" || !isAlnum(member[0]) {
				if member != "" {
					f.Separator, member = member[0], member[1:]
				} else {
					f.Separator = 0
				}
			}
			f.Member = member
		}
		return f, nil
	}
	code := w[1:]
	for _, c := range externalCodes {
		if c == code {
			return ExternalFormat{Code: c}, nil
		}
	}
	if r.b.hasSSL() {
		switch {
		case code == "USER_CERT" || code == "USER_CERTCHAIN":
			return ExternalFormat{Code: code}, nil
		case strings.HasPrefix(code, "USER_CERT_"):
			return ExternalFormat{Code: "USER_CERT_", Header: code[len("USER_CERT_"):]}, nil
		case strings.HasPrefix(code, "CA_CERT_"):
			// 2.6 compares one letter more than the word has; the first letter of
			// the attribute must therefore be none. We take the word as it is meant.
			return ExternalFormat{Code: "CA_CERT_", Header: code[len("CA_CERT_"):]}, nil
		}
	}
	return ExternalFormat{}, r.unknownWord("% code", w, mapWords(externalCodes, func(c string) string { return "%" + c }))
}

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }

func (e *ExternalACL) words() []string {
	list := []string{e.Name, "ttl=" + strconv.Itoa(e.TTL), "negative_ttl=" + strconv.Itoa(e.NegativeTTL)}
	for _, o := range []struct {
		name     string
		v, usual int
	}{{"children", e.Children, 5}, {"concurrency", e.Concurrency, 0}, {"cache", e.CacheSize, 0}, {"grace", e.Grace, 0}} {
		if o.v != o.usual {
			list = append(list, o.name+"="+strconv.Itoa(o.v))
		}
	}
	if e.QuoteShell {
		list = append(list, "quote=shell")
	}
	for _, f := range e.Format {
		list = append(list, f.String())
	}
	// The program itself is read without quotes, its arguments with them.
	list = append(list, e.Program[0])
	if len(e.Program) > 1 {
		list = append(list, quoteWords(e.Program[1:]))
	}
	return list
}

// String writes the code as squid.conf has it.
func (f ExternalFormat) String() string {
	if f.Code != "HEADER" {
		return "%" + f.Code + f.Header
	}
	s := "%{" + f.Header
	if f.Separator != 0 || f.Member != "" {
		s += ":"
		if f.Separator != ',' && f.Separator != 0 {
			s += string([]byte{f.Separator})
		}
		s += f.Member
	}
	return s + "}"
}
