package ere

import (
	"fmt"
	"regexp"
	"strconv"
)

// emitter writes a tree in Go's syntax.
type emitter struct {
	out []byte
	// ascii: nothing written can match a byte above 0x7f.
	ascii bool
	// repeats: there is a counted repetition, to which Go sets bounds.
	repeats bool
}

// never matches no byte at all.
const never = `[^\x00-\x{10FFFF}]`

// emit appends n; false means that Go's syntax has no words for it.
func (e *emitter) emit(n *node) bool {
	switch n.kind {
	case empty:
		e.add("(?:)")
	case set:
		e.emitSet(n.set)
	case cat:
		return e.emitCat(n.subs)
	case alt:
		e.add("(?:")
		for i, sub := range n.subs {
			if i > 0 {
				e.add("|")
			}
			if !e.emit(sub) {
				return false
			}
		}
		e.add(")")
	case group:
		return e.emitGrouped(n.subs[0])
	case repeat:
		return e.emitRepeat(n)
	case start:
		e.add(`\A`)
	case end:
		e.add(`\z`)
	case wordEdge:
		e.add(`\b`)
	case noWordEdge:
		e.add(`\B`)
	default:
		return false
	}
	return true
}

func (e *emitter) add(s string) { e.out = append(e.out, s...) }

func (e *emitter) emitGrouped(n *node) bool {
	e.add("(?:")
	ok := e.emit(n)
	e.add(")")
	return ok
}

// emitCat writes a sequence. A word boundary of one side becomes Go's two-sided
// one where its neighbour makes sure which side it is.
func (e *emitter) emitCat(subs []*node) bool {
	for i, n := range subs {
		var neighbour *bytes256
		switch {
		case n.kind == wordStart && i+1 < len(subs):
			neighbour = edge(subs[i+1], false)
		case n.kind == wordEnd && i > 0:
			neighbour = edge(subs[i-1], true)
		case n.kind != wordStart && n.kind != wordEnd:
			if !e.emit(n) {
				return false
			}
			continue
		}
		switch {
		case neighbour == nil:
			return false
		case neighbour.within(wordSet):
			e.add(`\b`)
		case neighbour.apart(wordSet):
			e.add(never)
		default:
			return false
		}
	}
	return true
}

// edge is the bytes a match of n can begin with (or end with, when last); nil
// when it can be empty or it is hard to say.
func edge(n *node, last bool) *bytes256 {
	switch n.kind {
	case set:
		return n.set
	case group:
		return edge(n.subs[0], last)
	case cat:
		if last {
			return edge(n.subs[len(n.subs)-1], last)
		}
		return edge(n.subs[0], last)
	case repeat:
		if n.min > 0 {
			return edge(n.subs[0], last)
		}
	case alt:
		union := new(bytes256)
		for _, sub := range n.subs {
			b := edge(sub, last)
			if b == nil {
				return nil
			}
			for i := range union {
				union[i] |= b[i]
			}
		}
		return union
	}
	return nil
}

func (e *emitter) emitRepeat(n *node) bool {
	if !e.emitGrouped(n.subs[0]) {
		return false
	}
	switch {
	case n.min == 0 && n.max == -1:
		e.add("*")
	case n.min == 1 && n.max == -1:
		e.add("+")
	case n.min == 0 && n.max == 1:
		e.add("?")
	default:
		e.repeats = true
		e.add("{" + strconv.Itoa(n.min))
		if n.max != n.min {
			e.add(",")
			if n.max >= 0 {
				e.add(strconv.Itoa(n.max))
			}
		}
		e.add("}")
	}
	return true
}

// emitSet writes a set as a literal or a class of Latin-1 runes.
func (e *emitter) emitSet(b *bytes256) {
	if b[2]|b[3] != 0 {
		e.ascii = false
	}
	if c, ok := b.only(false); ok && c < 0x80 {
		if c < ' ' || c == 0x7f {
			e.add(fmt.Sprintf(`\x%02x`, c))
			return
		}
		e.add(regexp.QuoteMeta(string(rune(c))))
		return
	}
	begin := len(e.out)
	e.add("[")
	for i := 0; i < 256; i++ {
		if !b.has(byte(i)) {
			continue
		}
		last := i
		for last < 255 && b.has(byte(last+1)) {
			last++
		}
		e.emitClassByte(i)
		if last > i {
			if last > i+1 {
				e.add("-")
			}
			e.emitClassByte(last)
		}
		i = last
	}
	if len(e.out) == begin+1 {
		e.out = append(e.out[:begin], never...)
		return
	}
	e.add("]")
}

func (e *emitter) emitClassByte(c int) {
	if word(byte(c)) {
		e.out = append(e.out, byte(c))
		return
	}
	e.add(fmt.Sprintf(`\x{%x}`, c))
}
