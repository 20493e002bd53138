package parser

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// File is the syntax tree of one file.
type File struct {
	// Lines are the logical lines that are neither empty nor comment.
	Lines []*Line `parser:"@@*"`

	// Name is the name the file was parsed under.
	Name string `parser:""`
	// Pieces counts the physical lines, comments included; 2.6 numbers its
	// default lines from there.
	Pieces int `parser:""`
	// Flaws are the places where bytes do not mean what they look like.
	Flaws []Flaw `parser:""`
	text  []byte

	once   sync.Once
	starts []int // where each piece begins, for Source
}

// Line is one logical line.
type Line struct {
	Pos lexer.Position

	// Directive is the first word.
	Directive string `parser:"@Name"`
	// Args is everything behind it.
	Args Args `parser:"@Rest"`

	file *File
	log  *logical
}

// Args is the text behind a directive's name, with the words found in it.
type Args struct {
	// Text begins with the separator behind the name, or is empty.
	Text string
	// Words are the words between blanks and tabs.
	Words []Word
}

// Word is one word of a line.
type Word struct {
	Text string
	// Off is the word's offset in Args.Text.
	Off int
}

// Capture splits the rest of a line into words; participle calls it.
func (a *Args) Capture(values []string) error {
	a.Text = values[0]
	n := countWords(a.Text)
	if n == 0 {
		return nil
	}
	a.Words = make([]Word, 0, n)
	for i := 0; i < len(a.Text); {
		if isBlank(a.Text[i]) {
			i++
			continue
		}
		start := i
		for i < len(a.Text) && !isBlank(a.Text[i]) {
			i++
		}
		a.Words = append(a.Words, Word{Text: a.Text[start:i], Off: start})
	}
	return nil
}

func countWords(s string) int {
	n, in := 0, false
	for i := 0; i < len(s); i++ {
		blank := isBlank(s[i])
		if !blank && !in {
			n++
		}
		in = !blank
	}
	return n
}

var grammar = participle.MustBuild[File](participle.Lexer(definition{}))

// Parse reads a whole file. It never refuses: the lexical rules give every text a
// meaning, and what the words mean is conf's business. The error is participle's
// and would be a mistake in the grammar.
func Parse(name string, text []byte) (*File, error) {
	s := newScanner(name, text)
	lex, err := lexer.Upgrade(s)
	if err != nil {
		return nil, fmt.Errorf("lexing %s: %w", name, err)
	}
	f, err := grammar.ParseFromLexer(lex)
	if err != nil {
		return nil, fmt.Errorf("parsing %s: %w", name, err)
	}
	f.Name, f.text, f.Pieces, f.Flaws = name, text, s.lines, s.takeFlaws()
	for i, line := range f.Lines {
		line.file, line.log = f, &s.logicals[i]
	}
	return f, nil
}

// Number is the line number 2.6 blames: that of the last physical line.
func (l *Line) Number() int { return l.log.last }

// LastPiece is the text 2.6 quotes: the last physical line, as it stands in the
// file, with its leading blanks and without what NUL or CR cut off.
func (l *Line) LastPiece() string { return string(l.file.text[l.log.lastOff:l.log.lastEnd]) }

// Text is the logical line, continuations joined.
func (l *Line) Text() string { return l.log.text }

// NamePos is the place of the directive's name.
func (l *Line) NamePos() Pos {
	return Pos{File: l.file.Name, Line: l.Pos.Line, Col: l.Pos.Column}
}

// At is the place of byte off of Args.Text. An offset behind the last byte gives
// the place where a missing word would stand.
func (l *Line) At(off int) Pos {
	p := l.log.position(l.file.Name, len(l.log.text)-len(l.Args.Text)+off)
	return Pos{File: l.file.Name, Line: p.Line, Col: p.Column}
}

// Source is the physical line of that number (counted from 1) without its line
// end, "" when there is none.
func (f *File) Source(number int) string {
	f.once.Do(func() {
		for off := 0; off < len(f.text); {
			f.starts = append(f.starts, off)
			off = cutPiece(f.text, off).next
		}
	})
	if number < 1 || number > len(f.starts) {
		return ""
	}
	p := cutPiece(f.text, f.starts[number-1])
	return string(bytes.TrimRight(f.text[p.start:p.next], "\r\n"))
}
