package conf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// sourceWidth is how many bytes of a source line an explanation shows.
const sourceWidth = 160

// Explain writes the diagnostics for a person: place, what is wrong, the source
// line with the span underlined, what to do. extensions asks for the uses of
// words 2.6 does not know.
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
	if errors+warnings > 0 || len(r.Extensions) > 0 && extensions {
		fmt.Fprintf(out, "%d errors, %d warnings, %d uses of extensions\n", errors, warnings, len(r.Extensions))
	}
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
	if col > len(src) {
		col = len(src)
	}
	from := 0
	if col > sourceWidth*3/4 {
		from = col - sourceWidth/2
	}
	n := min(max(d.Len, 1), sourceWidth-(col-from))
	to := min(len(src), from+sourceWidth)
	var b strings.Builder
	for i := from; i < to; i++ {
		if c := src[i]; c == '\t' || c >= 0x20 && c != 0x7f {
			b.WriteByte(c)
		} else {
			b.WriteByte('?')
		}
	}
	var u strings.Builder
	for i := from; i < col; i++ {
		if src[i] == '\t' {
			u.WriteByte('\t')
		} else if src[i]&0xc0 != 0x80 { // a letter, not a later byte of one
			u.WriteByte(' ')
		}
	}
	return b.String(), u.String() + "^" + strings.Repeat("~", max(0, n-1))
}

// printable keeps bytes that would move a terminal's cursor out of messages.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
