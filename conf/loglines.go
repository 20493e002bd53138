package conf

import (
	"fmt"
	"strings"
)

// logCodes are the codes of logformat. A code matches as a prefix of what follows
// the %, in this order (facts logf_code_*).
var logCodes = []string{">a", ">p", ">A", "<A", "la", "lp", "ts", "tu", "tl", "tg", "tr", ">h", "<h", "un", "ul", "ui", "ue",
	"Hs", "Ss", "Sh", "mt", "rm", "ru", ">v", "rv", ">st", "<st", "st", "ea", logSNI, "%"}

// logSNI is 3.5's code for the name in a TLS client's ClientHello.
const logSNI = "ssl::>sni"

func logFormats(field func(*Config) *[]*LogFormat) kind {
	return lines("name text with % codes", field, func(r *reader, add func(*LogFormat)) error {
		name, err := r.need("the format's name")
		if err != nil {
			return err
		}
		def, ok := r.cut("\r\n")
		if !ok {
			return r.bungled("the format is empty", "")
		}
		f := &LogFormat{Name: name, Text: def, Pos: r.namePos()}
		if f.Tokens, err = r.logTokens(def); err == nil {
			add(f)
		}
		return err
	}, func(_ *dumper, f *LogFormat) []string { return []string{f.Name, f.Text} })
}

// logTokens takes a format apart.
func (r *reader) logTokens(def string) ([]LogToken, error) {
	base := r.wordOff
	var tokens []LogToken
	quote := QuoteNone
	for i := 0; i < len(def); {
		if def[i] != '%' {
			n := strings.IndexByte(def[i:], '%')
			if n < 0 {
				n = len(def) - i
			}
			tokens = append(tokens, LogToken{Text: def[i : i+n]})
			quote = quoteAfter(quote, def[i:i+n])
			i += n
			continue
		}
		t, n := logToken(def[i:], quote)
		if t.Code == "" {
			r.wordOff, r.wordLen = base+i, len(def)-i
			at := span{base + i, min(len(def)-i, max(2, n))}
			return nil, &refusal{at: at, abort: fmt.Sprintf("Can't parse configuration token: '%s'\n", def[i:]),
				summary: fmt.Sprintf("unknown logformat code in %q", clip(def[i:], 20)), detail: "Valid codes: %" + strings.Join(logCodes, " %") + "."}
		}
		if t.Code == logSNI {
			r.extension("logformat:ssl::>sni", "the logformat code %ssl::>sni", "It came with 3.5: the server's name in the ClientHello of a TLS connection that is passed on.")
		}
		r.finishToken(&t)
		tokens = append(tokens, t)
		i += n
	}
	return tokens, nil
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n] + "…"
	}
	return s
}

// quoteAfter follows the quotes and brackets of literal text.
func quoteAfter(q LogQuote, text string) LogQuote {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"' && q == QuoteNone:
			q = QuoteString
		case text[i] == '"' && q == QuoteString, text[i] == ']' && q == QuoteBrackets:
			q = QuoteNone
		case text[i] == '[' && q == QuoteNone:
			q = QuoteBrackets
		}
	}
	return q
}

// logToken reads one % code and returns its length; Code is "" when none matches.
func logToken(s string, quote LogQuote) (LogToken, int) {
	t := LogToken{Quote: quote}
	i := 1
	at := func() byte {
		if i < len(s) {
			return s[i]
		}
		return 0
	}
	if k := strings.IndexByte("\"'[#", at()); at() != 0 && k >= 0 {
		t.Quote = [...]LogQuote{QuoteString, QuoteRaw, QuoteBrackets, QuoteURL}[k]
		i++
	}
	if at() == '-' {
		t.Left = true
		i++
	}
	if at() == '0' {
		t.Zero = true
		i++
	}
	if isDigit(at()) {
		v, n := cLong(s[i:], 10)
		t.Width = uint8(v)
		i += n
	}
	if at() == '.' {
		v, n := cLong(s[i+1:], 10)
		t.Precision = uint8(v)
		i += 1 + n
	}
	if at() == '{' {
		n := strings.IndexByte(s[i+1:], '}')
		if n < 0 {
			n = len(s) - i - 1
		}
		t.Arg, t.HasArg = s[i+1:i+1+n], true
		i = min(i+n+2, len(s))
	}
	for _, c := range logCodes {
		if strings.HasPrefix(s[i:], c) {
			t.Code = c
			i += len(c)
			break
		}
	}
	if t.Code != "" && at() == ' ' {
		t.Space = true
		i++
	}
	return t, i
}

// finishToken splits header arguments and notes what the code needs of other settings.
func (r *reader) finishToken(t *LogToken) {
	switch t.Code {
	case ">h", "<h":
		if !t.HasArg {
			r.b.cfg.LogMimeHdrs = true
			return
		}
		header, element, ok := strings.Cut(t.Arg, ":")
		if !ok {
			return
		}
		t.Arg, t.HasElement, t.Separator = header, true, ','
		if element != "" && strings.IndexByte(",;:", element[0]) >= 0 {
			t.Separator, element = element[0], element[1:]
		}
		t.Element = element
	case ">A":
		r.b.cfg.LogFQDN = true
	case "tu":
		t.Divisor = 1000
		if t.Precision > 0 {
			t.Divisor = 1000000
			for i := t.Precision; i > 1; i-- {
				t.Divisor /= 10
			}
		}
	}
}

func accessLogs(field func(*Config) *[]*AccessLog) kind {
	return lines("none|path [format [acl…]]", field, func(r *reader, add func(*AccessLog)) error {
		l, err := r.accessLog()
		if err == nil {
			add(l)
		}
		return err
	}, func(_ *dumper, l *AccessLog) []string { return l.words() })
}

func (r *reader) accessLog() (*AccessLog, error) {
	l := &AccessLog{Pos: r.namePos()}
	var err error
	if l.Path, err = r.need("the path"); err != nil {
		return nil, err
	}
	if l.Path == "none" {
		l.Path, l.Kind = "", LogNone
	} else {
		if i := strings.IndexByte(l.Path, ':'); i > 0 && !strings.Contains(l.Path[:i], "/") && l.Path[:i] != "syslog" {
			r.warn("log-module", fmt.Sprintf("%q is a file name here; there are no log modules", l.Path),
				"Later releases read daemon:, stdio:, udp: and so on in front of a path.", "")
		}
		format, ok := r.word()
		if !ok {
			format = "auto"
		}
		if err := r.logFormat(l, format); err != nil {
			return nil, err
		}
	}
	l.ACLs, err = r.aclRefs()
	return l, err
}

// logFormat finds a format: the last logformat of that name, else a built-in one.
func (r *reader) logFormat(l *AccessLog, name string) error {
	names := []string{"auto", "squid", "common"}
	for i := len(r.b.cfg.LogFormats) - 1; i >= 0; i-- {
		f := r.b.cfg.LogFormats[i]
		if names = append(names, f.Name); f.Name == name {
			l.Kind, l.Format = LogCustom, f
			return nil
		}
	}
	switch name {
	case "auto":
		l.Kind = LogAuto
	case "squid":
		l.Kind = LogSquid
	case "common":
		l.Kind = LogCommon
	default:
		r.say("Log format '%s' is not defined", name)
		return r.unknownWord("log format", name, names)
	}
	return nil
}

func (l *AccessLog) words() []string {
	list := []string{l.Path}
	switch l.Kind {
	case LogNone:
		list[0] = "none"
	case LogCustom:
		list = append(list, l.Format.Name)
	case LogSquid:
		list = append(list, "squid")
	case LogCommon:
		list = append(list, "common")
	default:
		list = append(list, "auto")
	}
	if refs := refWords(l.ACLs); refs != "" {
		list = append(list, refs[1:])
	}
	return list
}
