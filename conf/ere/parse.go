package ere

// The library's refusals.
const (
	badPattern   = "Invalid regular expression"
	badEscape    = "Trailing backslash"
	badReference = "Invalid back reference"
	badBracket   = "Unmatched [, [^, [:, [., or [="
	badParen     = "Unmatched ( or \\("
	openBrace    = "Unmatched \\{"
	badBraces    = "Invalid content of \\{\\}"
	badRange     = "Invalid range end"
	badRepeat    = "Invalid preceding regular expression"
	badClass     = "Invalid character class name"
	badCollation = "Invalid collation character"
	tooBig       = "Regular expression too big"
)

const (
	maxRepeat = 32767 // RE_DUP_MAX
	maxDepth  = 500   // of parentheses; the library has no bound but its stack
)

// parser reads a pattern. Errors are raised by panic and caught by parse: all
// of them end the reading.
type parser struct {
	pattern string
	at      int
	icase   bool
	groups  int
	closed  uint64 // bit n: group n may be spoken of by a back-reference
	uses    bool   // there is a back-reference
	depth   int
}

func parse(pattern string, icase bool) (t *tree, err error) {
	p := &parser{pattern: pattern, icase: icase}
	defer func() {
		switch refusal := recover().(type) {
		case nil:
		case *Error:
			t, err = nil, refusal
		default:
			panic(refusal)
		}
	}()
	root := p.alternatives()
	return &tree{root, p.groups, p.uses}, nil
}

func (p *parser) fail(message string) {
	panic(&Error{p.pattern, min(p.at, max(0, len(p.pattern)-1)), message})
}

func (p *parser) more() bool { return p.at < len(p.pattern) }

// next is the byte at the parser's place; there must be one.
func (p *parser) next() byte { return p.pattern[p.at] }

// alternatives reads branches up to the end, or to the parenthesis that closes
// the group being read.
func (p *parser) alternatives() *node {
	before := p.closed
	branches := []*node{p.branch()}
	all := p.closed
	for p.more() && p.next() == '|' {
		p.at++
		p.closed = before // a branch knows nothing of the groups of another
		branches = append(branches, p.branch())
		all |= p.closed
	}
	p.closed = all
	if len(branches) == 1 {
		return branches[0]
	}
	return &node{kind: alt, subs: branches}
}

func (p *parser) branch() *node {
	n := &node{kind: cat}
	for p.more() && p.next() != '|' && (p.next() != ')' || p.depth == 0) {
		n.subs = append(n.subs, p.expression())
	}
	switch len(n.subs) {
	case 0:
		return &node{kind: empty}
	case 1:
		return n.subs[0]
	}
	return n
}

// expression reads one atom and the repetitions behind it. Anchors take no
// repetition: what follows them is read as the start of an expression.
func (p *parser) expression() *node {
	atom, anchor := p.atom()
	if anchor {
		return atom
	}
	for p.more() {
		switch p.next() {
		case '*':
			p.at++
			atom = repeated(atom, 0, -1)
		case '+':
			p.at++
			atom = repeated(atom, 1, -1)
		case '?':
			p.at++
			atom = repeated(atom, 0, 1)
		case '{':
			p.at++
			low, high := p.interval()
			atom = repeated(atom, low, high)
		default:
			return atom
		}
	}
	return atom
}

func repeated(atom *node, low, high int) *node {
	if high == 0 || atom.kind == empty {
		return &node{kind: empty}
	}
	return &node{kind: repeat, subs: []*node{atom}, min: low, max: high}
}

func (p *parser) atom() (n *node, anchor bool) {
	c := p.next()
	switch c {
	case '*', '+', '?', '{':
		p.fail(badRepeat)
	case '^':
		p.at++
		return &node{kind: start}, true
	case '$':
		p.at++
		return &node{kind: end}, true
	case '(':
		return p.group(), false
	case '[':
		p.at++
		return &node{kind: set, set: p.bracket()}, false
	case '.':
		p.at++
		return anyByte, false
	case '\\':
		return p.escape()
	}
	p.at++
	return p.literal(c), false
}

// literal matches one byte, of letters both when case is ignored.
func (p *parser) literal(c byte) *node {
	if p.icase {
		return &inUpper[upper(c)]
	}
	return &oneByte[c]
}

// The nodes most patterns are made of, which nobody changes: one byte as it is,
// the bytes that become c in upper case, and what a dot matches.
var (
	oneByte, inUpper [256]node
	anyByte          = &node{kind: set, set: setOf(func(c byte) bool { return c != 0 })}
)

func init() {
	for i := range 256 {
		c := byte(i)
		oneByte[i] = node{kind: set, set: setOf(func(s byte) bool { return s == c })}
		inUpper[i] = node{kind: set, set: setOf(func(s byte) bool { return upper(s) == c })}
	}
}

func (p *parser) group() *node {
	p.at++
	if p.depth++; p.depth > maxDepth {
		p.fail(tooBig)
	}
	number := p.groups
	p.groups++
	inside := p.alternatives()
	p.depth--
	if !p.more() {
		p.fail(badParen)
	}
	p.at++
	if number < 9 {
		p.closed |= 1 << number
	}
	return &node{kind: group, subs: []*node{inside}, number: number}
}

// escape reads a backslash and what it makes of the next character.
func (p *parser) escape() (n *node, anchor bool) {
	p.at++
	if !p.more() {
		p.fail(badEscape)
	}
	c := p.next()
	p.at++
	switch c {
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		number := int(c - '1')
		if p.closed&(1<<number) == 0 {
			p.fail(badReference)
		}
		p.uses = true
		return &node{kind: reference, number: number}, false
	case 'w':
		return &node{kind: set, set: wordSet}, false
	case 's':
		return &node{kind: set, set: spaceSet}, false
	case 'W', 'S':
		b := *wordSet
		if c == 'S' {
			b = *spaceSet
		}
		b.invert()
		return &node{kind: set, set: &b}, false
	case 'b':
		return &node{kind: wordEdge}, true
	case 'B':
		return &node{kind: noWordEdge}, true
	case '<':
		return &node{kind: wordStart}, true
	case '>':
		return &node{kind: wordEnd}, true
	case '`':
		return &node{kind: start}, true
	case '\'':
		return &node{kind: end}, true
	}
	if p.icase {
		// The character is not put into upper case, the subject is.
		return &inUpper[c], false
	}
	return p.literal(c), false
}

// interval reads what follows an opening brace: {n}, {n,}, {,m} or {n,m}.
func (p *parser) interval() (low, high int) {
	low, stop := p.number()
	if low == noNumber {
		if stop != ',' {
			p.fail(badBraces)
		}
		low = 0
	}
	high = low
	if low != badNumber && stop == ',' {
		high, stop = p.number()
	}
	switch {
	case low == badNumber || high == badNumber:
		if stop == 0 {
			p.fail(openBrace)
		}
		p.fail(badBraces)
	case high != noNumber && low > high || stop != '}':
		p.fail(badBraces)
	case low > maxRepeat || high > maxRepeat:
		p.fail(tooBig)
	}
	return low, high
}

// What number gives for no digits, and for anything that is no number.
const (
	noNumber  = -1
	badNumber = -2
)

// number reads up to a comma, a closing brace or the end (0), and tells where
// it stopped.
func (p *parser) number() (n int, stop byte) {
	n = noNumber
	for p.more() {
		c := p.next()
		p.at++
		escaped := false
		if c == '\\' && p.more() {
			c, escaped = p.next(), true
			p.at++
		}
		switch {
		case c == ',' || c == '}' && !escaped:
			return n, c
		case !digit(c) || n == badNumber || escaped && c != '0':
			n = badNumber
		case n == noNumber:
			n = int(c - '0')
		default:
			n = min(maxRepeat+1, n*10+int(c-'0'))
		}
	}
	return badNumber, 0
}
