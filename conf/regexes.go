package conf

import (
	"iter"
	"slices"

	"github.com/cuttle-proxy/cuttle/parser"
)

// Regexes is the patterns of an ACL in their order.
type Regexes struct {
	texts  texts
	places []regexPlace
	files  []string // that patterns come from
}

// regexPlace is a pattern's flag and where it stands.
type regexPlace struct {
	line uint32
	col  uint16
	file uint16 // number in files; the top bit is for a pattern without case
}

const (
	regexICase = 1 << 15
	maxFiles   = regexICase
)

// RegexesOf makes the list of some patterns.
func RegexesOf(values ...Regex) Regexes {
	var list Regexes
	for _, re := range values {
		list.add(re)
	}
	return list
}

// Len is the number of patterns.
func (l *Regexes) Len() int { return l.texts.len() }

// At gives pattern i; its text shares the list's memory.
func (l *Regexes) At(i int) Regex {
	p := l.places[i]
	re := Regex{Pattern: l.texts.at(i), ICase: p.file&regexICase != 0}
	if p.line > 0 {
		re.Pos = parser.Pos{File: l.files[p.file&^regexICase], Line: int(p.line), Col: int(p.col)}
	}
	return re
}

// All is the patterns in their order.
func (l *Regexes) All() iter.Seq[Regex] {
	return func(yield func(Regex) bool) {
		for i := 0; i < l.Len() && yield(l.At(i)); i++ {
		}
	}
}

// fits reports whether a pattern can be added.
func (l *Regexes) fits(pattern string) bool {
	return l.texts.fits(pattern) && len(l.files) < maxFiles
}

func (l *Regexes) add(re Regex) {
	p := regexPlace{line: uint32(re.Pos.Line), col: uint16(min(re.Pos.Col, 1<<16-1))}
	if p.line > 0 {
		p.file = l.fileNumber(re.Pos.File)
	}
	if re.ICase {
		p.file |= regexICase
	}
	l.texts.add(re.Pattern)
	l.places = append(l.places, p)
}

// compact gives back the room that growing left over.
func (l *Regexes) compact() {
	l.texts.compact()
	l.places = compact(l.places)
}

// fileNumber finds a file, which is mostly the one before, or appends it.
func (l *Regexes) fileNumber(name string) uint16 {
	if n := len(l.places); n > 0 && l.places[n-1].line > 0 {
		if last := l.places[n-1].file &^ regexICase; l.files[last] == name {
			return last
		}
	}
	i := slices.Index(l.files, name)
	if i < 0 {
		i = len(l.files)
		l.files = append(l.files, name)
	}
	return uint16(i)
}
