package ere

import "strings"

// elementKind tells what stands in brackets.
type elementKind uint8

const (
	plain       elementKind = iota // a byte
	symbol                         // [.x.]
	equivalents                    // [=x=]
	class                          // [:name:]
)

// element is one element in brackets. Whether its name means anything is
// looked at when it is used.
type element struct {
	kind elementKind
	name string // of plain elements the byte
}

// bracket reads what follows an opening bracket, the closing one included.
func (p *parser) bracket() *bytes256 {
	found := new(bytes256) // of upper-case bytes when case is ignored
	if !p.more() {
		p.fail(badPattern)
	}
	negated := p.next() == '^'
	if negated {
		if p.at++; !p.more() {
			p.fail(badPattern)
		}
	}
	for first := true; ; first = false {
		if !first && p.atClose() {
			break
		}
		from := p.element(first)
		if from.kind != class && from.kind != equivalents && p.rangeFollows() {
			p.at++
			to := p.element(true)
			p.addRange(found, from, to)
		} else {
			p.addElement(found, from)
		}
		if !p.more() {
			p.fail(badBracket)
		}
	}
	p.at++
	if p.icase {
		upperOnly := *found
		found = setOf(func(c byte) bool { return upperOnly.has(upper(c)) })
	}
	if negated {
		found.invert()
		found[0] &^= 1 // never NUL
	}
	return found
}

func (p *parser) atClose() bool { return p.more() && p.next() == ']' }

// rangeFollows reports whether a minus sign that makes a range comes next: one
// before the closing bracket is itself.
func (p *parser) rangeFollows() bool {
	if !p.more() {
		p.fail(badBracket)
	}
	if p.next() != '-' {
		return false
	}
	if p.at+1 >= len(p.pattern) {
		p.fail(badBracket)
	}
	return p.pattern[p.at+1] != ']'
}

// element reads one element. A minus sign that is neither the first element,
// the end of a range (minus) nor the last element is refused.
func (p *parser) element(minus bool) element {
	if !p.more() {
		p.fail(badBracket)
	}
	c := p.next()
	if c == '[' && p.at+1 < len(p.pattern) && strings.IndexByte(".=:", p.pattern[p.at+1]) >= 0 {
		return p.named(p.pattern[p.at+1])
	}
	p.at++
	if c == '-' && !minus && !p.atClose() {
		p.fail(badRange)
	}
	return element{name: string([]byte{c})}
}

// named reads [.x.], [=x=] or [:name:]; delimiter is its second byte.
func (p *parser) named(delimiter byte) element {
	p.at += 2
	length := strings.Index(p.pattern[p.at:], string([]byte{delimiter, ']'}))
	if length < 0 || length >= 32 {
		p.fail(badBracket)
	}
	name := p.pattern[p.at : p.at+length]
	p.at += length + 2
	kinds := map[byte]elementKind{'.': symbol, '=': equivalents, ':': class}
	return element{kinds[delimiter], name}
}

// classes are the named classes in the C locale.
var classes = map[string]func(c byte) bool{
	"alpha": letter, "digit": digit, "space": space,
	"alnum":  func(c byte) bool { return letter(c) || digit(c) },
	"upper":  func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"lower":  func(c byte) bool { return 'a' <= c && c <= 'z' },
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"graph":  func(c byte) bool { return ' ' < c && c < 0x7f },
	"print":  func(c byte) bool { return ' ' <= c && c < 0x7f },
	"punct":  func(c byte) bool { return ' ' < c && c < 0x7f && !letter(c) && !digit(c) },
	"xdigit": func(c byte) bool { return digit(c) || 'A' <= upper(c) && upper(c) <= 'F' },
}

func (p *parser) class(name string) *bytes256 {
	if p.icase && (name == "upper" || name == "lower") {
		name = "alpha"
	}
	test := classes[name]
	if test == nil {
		p.fail(badClass)
	}
	return setOf(test)
}

func (p *parser) addRange(found *bytes256, from, to element) {
	if to.kind == class || to.kind == equivalents {
		p.fail(badRange)
	}
	low, high := p.byteOf(from), p.byteOf(to)
	if low > high {
		p.fail(badRange)
	}
	for c := int(low); c <= int(high); c++ {
		found.add(byte(c))
	}
}

func (p *parser) addElement(found *bytes256, e element) {
	if e.kind != class {
		found.add(p.byteOf(e))
		return
	}
	for i, word := range p.class(e.name) {
		found[i] |= word
	}
}

// byteOf is the byte of an element as it is compared: in upper case when case
// is ignored.
func (p *parser) byteOf(e element) byte {
	if len(e.name) != 1 {
		p.fail(badCollation)
	}
	if p.icase {
		return upper(e.name[0])
	}
	return e.name[0]
}
