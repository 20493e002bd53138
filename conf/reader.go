package conf

import (
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// reader walks along the arguments of one line, the way 2.6's handlers do.
type reader struct {
	b   *builder
	dir *Directive
	// line is nil for a built-in default.
	line *parser.Line
	text string
	off  int // next byte to read
	next int // index of the word at or behind off, a hint

	// number and quoted are what 2.6 says of the line when it refuses it.
	number int
	quoted string

	// The word read last.
	wordOff, wordLen int
	// fromFile is the value read last, when it came from a list file.
	fromFile aclValue
}

// span is a range of the arguments, for diagnostics.
type span struct{ off, len int }

func (r *reader) here() span { return span{r.wordOff, r.wordLen} }

// all is the span of everything behind the directive's name.
func (r *reader) all() span {
	t := strings.TrimLeft(r.text, " \t")
	return span{len(r.text) - len(t), len(strings.TrimRight(t, " \t"))}
}

// at is the place of a byte of the arguments.
func (r *reader) at(off int) parser.Pos {
	if r.line == nil {
		return parser.Pos{}
	}
	return r.line.At(off)
}

// pos is the place of the word read last.
func (r *reader) pos() parser.Pos { return r.at(r.wordOff) }

// namePos is the place of the directive's name.
func (r *reader) namePos() parser.Pos {
	if r.line == nil {
		return parser.Pos{}
	}
	return r.line.NamePos()
}

// word reads the next word. ok is false at the end of the line.
func (r *reader) word() (string, bool) {
	if r.line != nil {
		words := r.line.Args.Words
		for r.next < len(words) && words[r.next].Off < r.off {
			r.next++
		}
		// Between off and the next word's start there are only blanks, unless
		// another separator stopped in the middle of a word.
		if r.off >= len(r.text) || isBlank(r.text[r.off]) || r.next < len(words) && words[r.next].Off == r.off {
			if r.next == len(words) {
				r.missing()
				return "", false
			}
			w := words[r.next]
			r.next++
			r.take(w.Off, len(w.Text))
			return w.Text, true
		}
	}
	return r.cut(" \t\n\r")
}

// each walks along what next gives, up to the end of the line: each(r.word) are the
// words, each the word read last while it is looked at.
func each[T any](next func() (T, bool)) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v, ok := next(); ok && yield(v); v, ok = next() {
		}
	}
}

// cut reads up to one of the bytes of seps, skipping those that come first.
func (r *reader) cut(seps string) (string, bool) {
	i := r.off
	for i < len(r.text) && strings.IndexByte(seps, r.text[i]) >= 0 {
		i++
	}
	if i == len(r.text) {
		r.missing()
		return "", false
	}
	n := strings.IndexAny(r.text[i:], seps)
	if n < 0 {
		n = len(r.text) - i
	}
	r.take(i, n)
	return r.text[i : i+n], true
}

// take marks a word as read; the separator behind it is used up with it.
func (r *reader) take(off, n int) {
	r.wordOff, r.wordLen = off, n
	r.off = min(off+n+1, len(r.text))
}

func (r *reader) missing() {
	r.wordOff, r.wordLen = len(strings.TrimRight(r.text, " \t")), 0
	r.off = len(r.text)
}

// rest is everything that has not been read; ok is false when that is nothing.
func (r *reader) rest() (string, bool) {
	if r.off >= len(r.text) {
		r.missing()
		return "", false
	}
	s := r.text[r.off:]
	r.wordOff, r.wordLen = r.off, len(s)
	r.off = len(r.text)
	return s, true
}

// eol is the rest of the line without the blanks in front.
func (r *reader) eol() (string, error) {
	s, _ := r.rest()
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	if t == "" {
		r.missing()
		return "", r.bungled("a value is missing", "")
	}
	r.wordOff += len(s) - len(t)
	r.wordLen = len(t)
	return t, nil
}

// quotedWord reads one word of a word list, where double quotes group and
// backslashes escape (facts gram_quotes_wordlist, gram_quotes_wordlist_open).
func (r *reader) quotedWord() (string, bool) {
	i := r.off
	for i < len(r.text) && isCSpace(r.text[i]) {
		i++
	}
	if i == len(r.text) {
		r.missing()
		return "", false
	}
	start := i
	var b strings.Builder
	quoted := false
	for ; i < len(r.text); i++ {
		c := r.text[i]
		switch {
		case c == '\\':
			i++
			if i == len(r.text) {
				i--
				break
			}
			switch r.text[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteByte(r.text[i])
			}
			continue
		case c == '"':
			quoted = !quoted
			continue
		case !quoted && isCSpace(c):
			r.take(start, i-start)
			return b.String(), true
		default:
			b.WriteByte(c)
		}
	}
	r.take(start, len(r.text)-start)
	return b.String(), true
}

// wordList reads all remaining words with their quotes.
func (r *reader) wordList() []string {
	var list []string
	for {
		w, ok := r.quotedWord()
		if !ok {
			return list
		}
		list = append(list, w)
	}
}

// need reads a word that must be there.
func (r *reader) need(what string) (string, error) {
	w, ok := r.word()
	if !ok {
		return "", r.bungled(what+" is missing", "")
	}
	return w, nil
}

// integer reads a number in any base C knows; letters behind it are ignored
// (facts gram_int_hex, gram_int_trailing, gram_int_toobig).
func (r *reader) integer() (int, error) {
	w, err := r.need("a number")
	if err != nil {
		return 0, err
	}
	v, n := cLong(w, 0)
	d, _ := cDouble(w)
	switch {
	case n == 0:
		return 0, r.bungled(fmt.Sprintf("%q is not a number", w), "")
	case d > math.MaxInt32:
		return 0, r.bungled(fmt.Sprintf("%s is too large", w), fmt.Sprintf("The largest number is %d.", math.MaxInt32))
	}
	r.warnTail(w, n)
	if int64(int32(v)) != v {
		r.warn("number-cut", fmt.Sprintf("%s does not fit and is read as %d", w, int32(v)), "", "")
	}
	return int(int32(v)), nil
}

// warnTail tells that only n bytes of the number w are read.
func (r *reader) warnTail(w string, n int) {
	switch {
	case n == 0:
		r.warn("number-tail", fmt.Sprintf("%q is not a number and reads as 0", w), "", "")
	case n < len(w):
		r.warn("number-tail", fmt.Sprintf("only %q of %q is read", w[:n], w),
			"Write a unit as a word of its own, or leave the letters out.", "")
	}
}

// decimal reads all of s as a decimal number, the way of options (facts
// gram_ushort_hex, gram_ushort_trailing). Too large numbers are cut to 32 bits.
func (r *reader) decimal(s string, at span) (int, error) {
	v, err := r.decimalLong(s, at)
	return int(int32(v)), err
}

func (r *reader) decimalLong(s string, at span) (int64, error) {
	v, n := cLong(s, 10)
	switch {
	case s == "":
		return 0, r.bungledAt(at, "a number is missing", "")
	case n == 0 || n < len(s):
		return 0, r.bungledAt(at, fmt.Sprintf("%q is not a decimal number", s), "")
	}
	return v, nil
}

// port16 reads all of s as a decimal number from 0 to 65535.
func (r *reader) port16(s string, at span) (uint16, error) {
	v, err := r.decimalLong(s, at)
	if err != nil {
		return 0, err
	}
	// 2.6 looks at the low 32 bits only; a number that wraps is refused here as well.
	if v < 0 || v > math.MaxUint16 {
		return 0, r.bungledAt(at, fmt.Sprintf("%s is out of range", s), "Valid numbers are 0 to 65535.")
	}
	return uint16(v), nil
}

// ushort reads a word as a 16-bit number.
func (r *reader) ushort() (uint16, error) {
	w, err := r.need("a number")
	if err != nil {
		return 0, err
	}
	return r.port16(w, r.here())
}

// onOff reads a switch: everything but on and enable is off (fact gram_onoff_yes).
func (r *reader) onOff() (bool, error) {
	w, err := r.need("on or off")
	if err != nil {
		return false, err
	}
	switch strings.ToLower(w) {
	case "on", "enable":
		return true, nil
	case "off", "disable":
	case "yes", "true", "1", "enabled", "y", "t":
		r.warn("switch-reads-off", fmt.Sprintf("%q reads as off", w), "Only on and enable turn a switch on.", "on")
	default:
		r.warn("switch-reads-off", fmt.Sprintf("%q is neither on nor off and reads as off", w), "", "off")
	}
	return false, nil
}

// tristate reads a switch that knows warn as well.
func (r *reader) tristate() (Tristate, error) {
	mark := *r
	if w, ok := r.word(); ok && strings.EqualFold(w, "warn") {
		return Warn, nil
	}
	*r = mark
	v, err := r.onOff()
	if v {
		return On, err
	}
	return Off, err
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
