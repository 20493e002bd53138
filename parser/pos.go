package parser

import "strconv"

// Pos is a place in a configuration file.
type Pos struct {
	// File is the name the file was opened under; "" for values that come from
	// no file, such as built-in defaults.
	File string
	// Line counts physical lines from 1.
	Line int
	// Col counts bytes from 1 within the physical line.
	Col int
}

// String gives file:line:col, leaving out what is not known.
func (p Pos) String() string {
	if p.File == "" && p.Line == 0 {
		return "default"
	}
	if p.Line == 0 {
		return p.File
	}
	s := p.File + ":" + strconv.Itoa(p.Line)
	if p.Col > 0 {
		s += ":" + strconv.Itoa(p.Col)
	}
	return s
}

// IsZero reports whether the value has no place in a file (a built-in default).
func (p Pos) IsZero() bool { return p == Pos{} }
