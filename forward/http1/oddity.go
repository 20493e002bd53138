package http1

import "bytes"

// Oddity is something in a field line that was forgiven or left out.
type Oddity uint8

// The oddities worth telling.
const (
	// Unparseable: no field could be made of the line.
	Unparseable Oddity = iota
	// SpaceBeforeColon: blanks behind the name, which were left out.
	SpaceBeforeColon
)

// URLFault is what a URL that Parse refused suffers from.
type URLFault uint8

// The faults worth telling.
const (
	OtherURLFault URLFault = iota
	// URLTooLong: it is longer than any that is served.
	URLTooLong
	// BadHost: its host has a character that no host name has.
	BadHost
)

// WhyInvalid looks at a URL that Parse refused.
func WhyInvalid(text []byte, o *URLOptions) URLFault {
	if len(text)+len(o.AppendDomain) > maxURL {
		return URLTooLong
	}
	for _, c := range HostOf(text) {
		if class[lowered[c]]&isHostChar == 0 && !(c == '_' && o.AllowUnderscore) {
			return BadHost
		}
	}
	return OtherURLFault
}

// HostOf is what stands in the host's place of a URL or authority, a view of it.
func HostOf(text []byte) []byte {
	if _, rest, ok := bytes.Cut(text, []byte("://")); ok {
		text = rest
	}
	text, _, _ = bytes.Cut(text, []byte{'/'})
	if at := bytes.LastIndexByte(text, '@'); at >= 0 {
		text = text[at+1:]
	}
	if len(text) > 0 && text[0] == '[' {
		return nil
	}
	if colon := bytes.LastIndexByte(text, ':'); colon >= 0 {
		text = text[:colon]
	}
	return text
}

// Odd reports whether Oddities would tell anything.
func (f *Fields) Odd() bool { return f.Dropped > 0 || f.Spaced > 0 }

// Oddities tells what is odd in the lines behind the first one of the head that was
// parsed, at most a number of lines. It looks through them again.
func (f *Fields) Oddities(most int, told func(o Oddity, line []byte)) {
	_, rest, _ := bytes.Cut(f.text, []byte{'\n'})
	for most > 0 && len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) == 0 {
			continue
		}
		name, _, colon := bytes.Cut(line, []byte{':'})
		key := trimSpace(name)
		switch {
		case !colon || len(key) == 0 || !allAre(key, isToken) && LookupName(key) == Other:
			told(Unparseable, line)
		case len(key) < len(name):
			told(SpaceBeforeColon, line)
		default:
			continue
		}
		most--
	}
}
