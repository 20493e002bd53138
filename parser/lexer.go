package parser

import (
	"bytes"
	"io"
	"sort"

	"github.com/alecthomas/participle/v2/lexer"
)

// PieceSize is the largest number of bytes read as one line: 2.6's buffer of
// 8192 less its terminating NUL (fact gram_line_8192).
const PieceSize = 8191

// The token types of the grammar.
const (
	tokenEOF  = lexer.EOF
	tokenName = lexer.TokenType(-2)
	tokenRest = lexer.TokenType(-3)
)

var symbols = map[string]lexer.TokenType{"EOF": tokenEOF, "Name": tokenName, "Rest": tokenRest}

// definition is the lexer as participle wants it.
type definition struct{}

func (definition) Symbols() map[string]lexer.TokenType { return symbols }

func (definition) Lex(filename string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return newScanner(filename, text), nil
}

// piece is one physical line as 2.6's reader sees it.
type piece struct {
	start, end int // of the text that counts, cut at NUL, LF and CR
	next       int // where the next piece starts
}

// cutPiece finds the piece that starts at off.
func cutPiece(text []byte, off int) piece {
	limit := min(off+PieceSize, len(text))
	p := piece{start: off, end: limit, next: limit}
	if i := bytes.IndexByte(text[off:limit], '\n'); i >= 0 {
		p.end, p.next = off+i, off+i+1
	}
	if i := bytes.IndexByte(text[off:p.end], 0); i >= 0 {
		p.end = off + i
	}
	if i := bytes.IndexByte(text[off:p.end], '\r'); i >= 0 {
		p.end = off + i
	}
	return p
}

// segment ties a range of a joined logical line to the piece it came from.
type segment struct {
	at   int // offset in the joined text
	line int // number of the piece
	off  int // offset in the file of the segment's first byte
	col  int // column of that byte
}

// logical is one logical line found by the scanner.
type logical struct {
	text     string
	segments []segment // nil when the line is one piece
	first    int       // number of the first piece
	last     int       // number of the last piece
	lastOff  int       // offset in the file of the last piece
	lastEnd  int
	off      int // offset in the file of the first piece
}

// scanner splits the text into logical lines and those into tokens.
type scanner struct {
	file  string
	text  []byte
	whole string // text again, so that lines are parts of one string
	off   int
	lines int // pieces read so far
	// pending is the rest token of the line whose name was just returned.
	pending lexer.Token
	has     bool
	// logicals are kept for the tree: participle hands over the tokens only.
	logicals []logical
	flaws    []Flaw
	crlf     int // lines that end in CR LF
}

func newScanner(file string, text []byte) *scanner {
	return &scanner{file: file, text: text, whole: string(text)}
}

// Next implements lexer.Lexer.
func (s *scanner) Next() (lexer.Token, error) {
	if s.has {
		s.has = false
		return s.pending, nil
	}
	for {
		l, ok := s.logicalLine()
		if !ok {
			return lexer.EOFToken(lexer.Position{Filename: s.file, Offset: s.off, Line: s.lines + 1, Column: 1}), nil
		}
		start := 0
		for start < len(l.text) && isBlank(l.text[start]) {
			start++
		}
		if start == len(l.text) {
			continue
		}
		end := start
		for end < len(l.text) && !isBlank(l.text[end]) {
			end++
		}
		s.logicals = append(s.logicals, l)
		pos := l.position(s.file, start)
		s.pending = lexer.Token{Type: tokenRest, Value: l.text[end:], Pos: pos}
		s.has = true
		return lexer.Token{Type: tokenName, Value: l.text[start:end], Pos: pos}, nil
	}
}

// logicalLine reads pieces up to the end of one logical line.
func (s *scanner) logicalLine() (logical, bool) {
	var l logical
	var joined []byte
	open := false
	for s.off < len(s.text) {
		p := cutPiece(s.text, s.off)
		s.off = p.next
		s.lines++
		s.noteFlaws(p)
		if p.start == p.end || s.text[p.start] == '#' {
			continue
		}
		end := p.end
		more := s.text[end-1] == '\\'
		if more {
			end--
		}
		if !open && !more {
			return logical{text: s.whole[p.start:end], first: s.lines, last: s.lines,
				lastOff: p.start, lastEnd: p.end, off: p.start}, true
		}
		if !open {
			open, l.first, l.off = true, s.lines, p.start
		}
		l.segments = append(l.segments, segment{at: len(joined), line: s.lines, off: p.start, col: 1})
		joined = append(joined, s.text[p.start:end]...)
		if !more {
			l.text, l.last, l.lastOff, l.lastEnd = string(joined), s.lines, p.start, p.end
			return l, true
		}
	}
	return logical{}, false
}

// position is the place of byte i of the logical line.
func (l *logical) position(file string, i int) lexer.Position {
	p := lexer.Position{Filename: file, Offset: l.off + i, Line: l.first, Column: i + 1}
	// The last segment that begins at or before i; a value may span 100,000 of them.
	n := sort.Search(len(l.segments), func(k int) bool { return l.segments[k].at > i })
	if n > 0 {
		s := l.segments[n-1]
		p.Offset, p.Line, p.Column = s.off+i-s.at, s.line, s.col+i-s.at
	}
	return p
}

// isBlank tells the bytes that separate words; CR and LF cannot occur in a piece.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }
