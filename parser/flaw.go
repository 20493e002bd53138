package parser

// FlawKind is something odd about the bytes of a line.
type FlawKind uint8

// The kinds of Flaw.
const (
	// CRLF: the lines end in CR and LF; the CR does not count.
	CRLF FlawKind = iota
	// LoneCR: the rest of the line, behind a CR, is not read.
	LoneCR
	// NUL: the rest of the line, behind a NUL, is not read.
	NUL
	// LongLine: the line is longer than PieceSize and falls apart.
	LongLine
)

// Flaw is one place where bytes do not mean what they look like.
type Flaw struct {
	Kind FlawKind
	// Pos is the byte in question; for LongLine the first that counts as a line of its own.
	Pos Pos
	// Count is how many lines there are like this one, itself included (CRLF only).
	Count int
}

// maxFlaws bounds what is kept of a file that is full of them.
const maxFlaws = 100

// noteFlaws looks at what cutPiece cut off a piece.
func (s *scanner) noteFlaws(p piece) {
	raw := p.next
	ended := s.text[raw-1] == '\n'
	if ended {
		raw--
	}
	comment := s.text[p.start] == '#'
	switch {
	case p.end < raw && s.text[p.end] == '\r' && p.end+1 == raw && ended:
		s.crlf++
		if s.crlf == 1 {
			s.addFlaw(CRLF, p.end-p.start)
		}
	case comment || p.end == raw:
	case s.text[p.end] == 0:
		s.addFlaw(NUL, p.end-p.start)
	case p.end+1 < raw:
		s.addFlaw(LoneCR, p.end-p.start)
	}
	if !ended && p.next < len(s.text) && s.text[p.next] != '\n' && s.text[p.next] != '\r' {
		s.addFlaw(LongLine, -1)
	}
}

// addFlaw notes a flaw of the piece read last; offset -1 is the piece behind it.
func (s *scanner) addFlaw(kind FlawKind, offset int) {
	if len(s.flaws) == maxFlaws {
		return
	}
	at := Pos{File: s.file, Line: s.lines, Col: offset + 1}
	if offset < 0 {
		at.Line, at.Col = s.lines+1, 1
	}
	s.flaws = append(s.flaws, Flaw{Kind: kind, Pos: at, Count: 1})
}

// takeFlaws gives what was found, with the CR LF lines counted.
func (s *scanner) takeFlaws() []Flaw {
	for i := range s.flaws {
		if s.flaws[i].Kind == CRLF {
			s.flaws[i].Count = s.crlf
		}
	}
	return s.flaws
}
