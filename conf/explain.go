package conf

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sourceWidth is how many bytes of a source line an explanation shows.
const sourceWidth = 160

// Explain writes the diagnostics for a person: place, what is wrong, the source
// line with the span underlined, what to do; then what has no effect, and the
// numbers. extensions asks for the uses of words 2.6 does not know.
func (r *Report) Explain(w io.Writer, extensions bool) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	errors, warnings := 0, 0
	for _, d := range r.Diagnostics {
		switch d.Severity {
		case Error:
			errors++
		case Warning:
			warnings++
		}
		d.write(out)
	}
	if extensions {
		for _, d := range r.Extensions {
			d.write(out)
		}
	}
	for i := range r.Inert {
		r.Inert[i].write(out)
	}
	fmt.Fprintf(out, "%d errors, %d warnings, %d uses of extensions, %d without effect\n", errors, warnings, len(r.Extensions), len(r.Inert))
}

// write says in one line that something has no effect, and what comes of it.
func (i *Inert) write(w io.Writer) {
	if i.Harm != "" {
		fmt.Fprintf(w, "%v: warning: %s: %s; a start is refused\n", i.Pos, i.Text(), i.Harm)
		return
	}
	fmt.Fprintf(w, "%v: note: %s\n", i.Pos, i.Text())
}

var severityWords = map[Severity]string{Note: "note", Warning: "warning", Error: "error"}

func (d Diagnostic) write(w io.Writer) {
	fmt.Fprintf(w, "%v: %s: %s\n", d.Pos, severityWords[d.Severity], printable(d.Summary))
	if d.Source != "" && d.Pos.Col > 0 {
		line, under := d.underline()
		fmt.Fprintf(w, "    %s\n    %s\n", line, under)
	}
	if d.Detail != "" {
		fmt.Fprintf(w, "    %s\n", printable(d.Detail))
	}
	if d.Suggestion != "" {
		fmt.Fprintf(w, "    did you mean %q?\n", d.Suggestion)
	}
}

// underline shows the source line and marks the span under it.
func (d Diagnostic) underline() (line, under string) {
	src, col := d.Source, d.Pos.Col-1
	if d.sourceCol > 0 {
		col = d.sourceCol - 1
	}
	col = max(0, min(col, len(src)))
	from := 0
	if col > sourceWidth*3/4 {
		from = col - sourceWidth/2
	}
	for from > 0 && from < col && !utf8.RuneStart(src[from]) {
		from++
	}
	to := min(len(src), from+sourceWidth)
	for to > col && to < len(src) && !utf8.RuneStart(src[to]) {
		to--
	}
	front := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, src[from:col])
	marked := utf8.RuneCountInString(src[col:min(to, col+max(d.Len, 1))])
	return printable(src[from:to]), front + "^" + strings.Repeat("~", max(0, marked-1))
}

// quoted puts a pattern between quotes as it stands in the file: what cannot be seen is
// written with a backslash, and backslashes of its own are not doubled.
func quoted(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(strconv.Quote(s))
}

// printable writes a question mark for every byte that is no letter of UTF-8 or
// would move a terminal's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}
