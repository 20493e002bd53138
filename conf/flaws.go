package conf

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/parser"
)

// flaws warns of bytes that 2.6 reads in a way of its own: what it makes of them
// is what we make of them, but nobody sees it by looking at the file.
func (b *builder) flaws(f *parser.File) {
	for _, w := range f.Flaws {
		d := Diagnostic{Severity: Warning, Pos: w.Pos, Len: 1}
		switch w.Kind {
		case parser.CRLF:
			d.Check, d.Summary = "line-crlf", fmt.Sprintf("%d lines end in CR and LF, this is the first", w.Count)
			d.Detail = "The CR is ignored, here and in 2.6."
		case parser.LoneCR:
			d.Check, d.Summary = "line-cr", "there is a CR inside the line: what is behind it is not read"
			d.Detail = "Was the file written with CR alone as line end?"
		case parser.NUL:
			d.Check, d.Summary = "line-nul", "there is a NUL byte: what is behind it in this line is not read"
		case parser.LongLine:
			d.Check, d.Summary = "line-long", fmt.Sprintf("the line in front is longer than %d bytes; what is left of it counts as a line of its own", parser.PieceSize)
			d.Detail = "End shorter lines with a backslash, or put the values into a file: acl NAME TYPE \"FILE\"."
		}
		b.diagnose(d)
	}
}
