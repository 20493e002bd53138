// (The translator behind this interface is being written by the acl member.)

// Package ere translates POSIX extended regular expressions, as glibc's regcomp
// reads them in the C locale, to the syntax of Go's regexp package.
package ere

// Translation is a pattern in Go's syntax.
type Translation struct {
	// Go is the pattern for regexp.Compile. It matches bytes: bytes above 0x7f in
	// the subject must be presented as Latin-1 runes or the pattern is pure ASCII
	// (ASCIIOnly), when raw bytes do as well.
	Go        string
	ASCIIOnly bool
	// Literals: when not empty, every match contains at least one of them (lower
	// case when the pattern ignores case). For a pre-filter.
	Literals []string
	// BackReferences: Go is "" and Matcher must be used.
	BackReferences bool
}

// Error is a refusal in glibc's words.
type Error struct {
	Pattern string
	// Offset is the byte of the pattern that is to blame, as near as can be told.
	Offset int
	// Message is regerror's text.
	Message string
}

func (e *Error) Error() string { return e.Message }

// Translate translates pattern. The error is an *Error.
func Translate(pattern string, icase bool) (Translation, error) {
	return Translation{}, &Error{Pattern: pattern, Message: "Invalid regular expression"}
}
