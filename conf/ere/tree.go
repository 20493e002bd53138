package ere

import "math/bits"

// tree is a parsed pattern.
type tree struct {
	root       *node
	groups     int
	references bool // a back-reference is in it
}

// kind tells the nodes of a tree apart.
type kind uint8

const (
	empty      kind = iota // matches the empty text
	set                    // one byte out of a set
	cat                    // subs one after the other
	alt                    // one of subs
	repeat                 // subs[0] at least min, at most max times
	group                  // subs[0], remembered as number
	reference              // what group number matched
	start                  // the start of the subject: ^ and \`
	end                    // the end of the subject: $ and \'
	wordEdge               // \b
	noWordEdge             // \B
	wordStart              // \<
	wordEnd                // \>
)

type node struct {
	kind     kind
	subs     []*node
	set      *bytes256
	min, max int // of repeat; max -1 for no limit
	number   int // of group and reference
}

// bytes256 is a set of bytes.
type bytes256 [4]uint64

func (b *bytes256) add(c byte)      { b[c/64] |= 1 << (c % 64) }
func (b *bytes256) has(c byte) bool { return b[c/64]&(1<<(c%64)) != 0 }

func (b *bytes256) invert() {
	for i := range b {
		b[i] = ^b[i]
	}
}

// only gives the one byte of the set, or with case ignored the upper one of a
// letter's two. ok is false for any other set.
func (b *bytes256) only(icase bool) (c byte, ok bool) {
	n := 0
	for i, word := range b {
		// A set of one or two bytes is seen by its few bits, not by asking 256 times.
		for ; word != 0; word &= word - 1 {
			v := byte(i*64 + bits.TrailingZeros64(word))
			if n++; n == 1 {
				c = v
			} else if n > 2 || !icase || upper(v) != c {
				return 0, false
			}
		}
	}
	return c, n > 0
}

// within reports whether every byte of b is in o, apart whether none is.
func (b *bytes256) within(o *bytes256) bool {
	return b[0]&^o[0]|b[1]&^o[1]|b[2]&^o[2]|b[3]&^o[3] == 0
}

func (b *bytes256) apart(o *bytes256) bool {
	return b[0]&o[0]|b[1]&o[1]|b[2]&o[2]|b[3]&o[3] == 0
}

func setOf(test func(c byte) bool) *bytes256 {
	b := new(bytes256)
	for i := range 256 {
		if test(byte(i)) {
			b.add(byte(i))
		}
	}
	return b
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

func letter(c byte) bool { return 'A' <= upper(c) && upper(c) <= 'Z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }
func word(c byte) bool   { return letter(c) || digit(c) || c == '_' }
func space(c byte) bool  { return c == ' ' || '\t' <= c && c <= '\r' }

var (
	wordSet  = setOf(word)
	spaceSet = setOf(space)
)
