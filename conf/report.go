package conf

import "github.com/cuttle-proxy/cuttle/parser"

// Severity orders diagnostics.
type Severity uint8

// The severities of a Diagnostic.
const (
	// Note: accepted, and 2.6 would not have been (an extension), or worth knowing.
	Note Severity = iota
	// Warning: accepted, but it will not do what it seems to say.
	Warning
	// Error: refused.
	Error
)

// Diagnostic is one thing to tell the operator about the file.
type Diagnostic struct {
	Severity Severity
	// Pos is where the span begins; Len is its length in bytes (0 the rest of the word's line).
	Pos parser.Pos
	Len int
	// Source is the physical line, "" when unknown.
	Source string
	// Summary says what is wrong in one line; Detail what to do about it.
	Summary, Detail string
	// Suggestion is the nearest valid name or value, "" for none.
	Suggestion string
	// Check names the rule that found it, for filtering and tests ("acl-unused", …).
	Check string
	// Listed is, for a use of an extension, its entry in testdata/conf/extensions.
	Listed string

	// sourceCol is where the span begins in Source, 0 for Pos.Col: a list file's
	// line is read in pieces.
	sourceCol int
	// rank orders diagnostics: line and column in the main file, of the line that was
	// being read there, and the number of the included file.
	rank [3]int
}

// Report is what reading a file brought to light.
type Report struct {
	// Lines are 2.6's own output lines, in its order and wording.
	Lines []LegacyLine
	// Exit is the exit status 2.6's -k parse ends with: 0, the number of
	// unknown directives (at most 255), 1 for a bungled line, 134 for an abort.
	Exit int
	// Diagnostics are our explanations, all problems of the file in file order.
	Diagnostics []Diagnostic
	// Given are the directives the file gives, in its order.
	Given []Given
	// Inert are the directives and options the file gives that nothing acts on, each once.
	Inert []Inert
	// Missing are the files, folders and programs that were looked for in vain.
	Missing []MissingPath
	// Extensions are the uses of words 2.6 does not know.
	Extensions []Diagnostic
}

// Given is one line of the file.
type Given struct {
	Directive *Directive
	Pos       parser.Pos
}

// MissingPath is something the configuration names that is not there.
type MissingPath struct {
	// What is 2.6's word for it ("cache_dir", "Error Directory").
	What, Path string
	Err        error
}

// LegacyLine is one line as 2.6 prints it.
type LegacyLine struct {
	// Stamped lines are debug output, printed with a time stamp.
	Stamped bool
	// Untrue lines are 2.6's word about what it does not understand and what acts here:
	// nobody is to be told that it is ignored.
	Untrue bool
	Text   string
}

// Accepted reports whether 2.6 would have started with the file (extensions count as known).
func (r *Report) Accepted() bool { return r.Exit == 0 }
