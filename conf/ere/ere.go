package ere

import "regexp/syntax"

// Translation is a pattern in Go's syntax.
type Translation struct {
	// Go is the pattern for regexp.Compile. It matches bytes: a subject with bytes
	// above 0x7f must be presented as Latin-1 runes (one rune a byte), unless
	// ASCIIOnly says that the raw bytes do as well.
	Go        string
	ASCIIOnly bool
	// NeedsMatcher: Go's syntax has no words for this pattern (back-references,
	// word boundaries of one side in unclear places). Go is "" and NewMatcher
	// must be used.
	NeedsMatcher bool
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

// Check reports whether the C library accepts pattern, without translating it. The
// error is an *Error.
func Check(pattern string, icase bool) error {
	if plainlyRight(pattern) {
		return nil
	}
	if _, err := parse(pattern, icase); err != nil {
		return err
	}
	return nil
}

// Literals gives texts of which every match contains at least one, in lower case when the
// pattern ignores case; none when there are no such texts. For a pre-filter, where
// AppendLiteral finds nothing good.
func Literals(pattern string, icase bool) ([]string, error) {
	tree, err := parse(pattern, icase)
	if err != nil {
		return nil, err
	}
	return literals(tree.root, icase), nil
}

// Translate translates pattern. The error is an *Error, and there is one exactly
// when regcomp would have one.
func Translate(pattern string, icase bool) (Translation, error) {
	tree, err := parse(pattern, icase)
	if err != nil {
		return Translation{}, err
	}
	var t Translation
	e := emitter{ascii: true}
	if tree.references || !e.emit(tree.root) || e.repeats && !goAccepts(e.out) {
		t.NeedsMatcher = true
		return t, nil
	}
	t.Go, t.ASCIIOnly = string(e.out), e.ascii
	return t, nil
}

// goAccepts reports whether the pattern stays within the bounds Go sets to
// repetitions.
func goAccepts(pattern []byte) bool {
	_, err := syntax.Parse(string(pattern), syntax.Perl)
	return err == nil
}
