package conf

import (
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// refusal ends the reading of a line, and for 2.6 the run.
type refusal struct {
	// abort is the text of an error without a line number, "" for a bungled line.
	abort string
	at    span
	// summary and detail are our explanation.
	summary, detail, suggestion string
}

func (e *refusal) Error() string { return e.summary }

// bungled refuses the line because of the word read last.
func (r *reader) bungled(summary, detail string) error {
	return &refusal{at: r.here(), summary: summary, detail: detail}
}

// bungledAt refuses the line because of the span.
func (r *reader) bungledAt(at span, summary, detail string) error {
	return &refusal{at: at, summary: summary, detail: detail}
}

// aborted refuses with an error of the kind that names no line and ends by SIGABRT.
func (r *reader) aborted(format string, args ...any) error {
	return r.abortedAt(r.here(), format, args...)
}

// abortedAt is aborted because of the span.
func (r *reader) abortedAt(at span, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return &refusal{abort: text, at: at, summary: strings.TrimSpace(text)}
}

// unknownWord refuses a word that is none of the valid ones.
func (r *reader) unknownWord(what, word string, valid []string) error {
	e := &refusal{at: r.here(), summary: fmt.Sprintf("unknown %s %q", what, word), suggestion: nearest(word, valid)}
	switch {
	case strings.HasPrefix(word, "#"):
		e.detail = "Comments begin in column one only."
	case len(valid) <= 40:
		e.detail = "Valid: " + strings.Join(valid, ", ") + "."
	}
	return e
}

// say prints a line of 2.6's debug output.
func (r *reader) say(format string, args ...any) { r.b.say(format, args...) }

// sayWhere prints the line 2.6 puts before the reason: file, number and text.
func (r *reader) sayWhere() { r.say("%s line %d: %s", r.b.base, r.number, r.quoted) }

// warn explains the word read last.
func (r *reader) warn(check, summary, detail, suggestion string) {
	r.warnAt(r.here(), check, summary, detail, suggestion)
}

func (r *reader) warnAt(at span, check, summary, detail, suggestion string) {
	if r.line == nil {
		return
	}
	r.b.diagnose(Diagnostic{Severity: Warning, Pos: r.at(at.off), Len: at.len, Check: check,
		Summary: summary, Detail: detail, Suggestion: suggestion})
}

// extension notes that the word read last is one 2.6 does not know. listed is its
// entry in testdata/conf/extensions.
func (r *reader) extension(listed, what, detail string) {
	if r.line == nil {
		return
	}
	r.extensionAt(r.pos(), r.wordLen, listed, what, detail)
}

// extensionAt is extension for a span that is not the last word.
func (r *reader) extensionAt(p parser.Pos, n int, listed, what, detail string) {
	r.b.extend(Diagnostic{Severity: Note, Pos: p, Len: n, Check: "extension",
		Summary: what + " is an extension", Detail: detail, Listed: listed})
}
