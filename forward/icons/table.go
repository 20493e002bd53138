package icons

import (
	"bufio"
	"io"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf/ere"
)

// Entry is one line of the MIME table.
type Entry struct {
	// ContentType and Encoding are what a file of this kind is; "" for "-".
	ContentType, Encoding string
	// Icon is the icon's file name.
	Icon string
	// ASCII asks for FTP's text mode.
	ASCII bool
	// View and Download are offered in directory listings.
	View, Download bool

	matches func(name string) bool
}

// Table is a MIME table: the first entry whose pattern matches counts.
type Table struct {
	entries []Entry
}

// maxTableLine bounds a line of a table in bytes.
const maxTableLine = 8192

// Read reads a table in 2.6's format:
//
//	pattern content-type icon encoding mode [+view] [+download]
//
// The pattern is a POSIX extended expression that ignores case; "#" begins a
// comment. Lines that cannot be used are left out and named in problems.
func Read(r io.Reader) (t *Table, problems []string, err error) {
	t = &Table{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxTableLine), maxTableLine)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) < 5 {
			problems = append(problems, "mime table: too few words: "+text)
			continue
		}
		e := Entry{ContentType: orNone(words[1]), Icon: words[2], Encoding: orNone(words[3])}
		e.ASCII = strings.EqualFold(words[4], "ascii") || strings.EqualFold(words[4], "text")
		for _, option := range words[5:] {
			switch option {
			case "+view":
				e.View = true
			case "+download":
				e.Download = true
			default:
				problems = append(problems, "mime table: unknown option "+option+": "+text)
			}
		}
		m, err := ere.NewMatcher(words[0], true)
		if err != nil {
			problems = append(problems, "mime table: "+words[0]+": "+err.Error())
			continue
		}
		e.matches = m.Match // names are short and tables seldom asked
		t.entries = append(t.entries, e)
	}
	return t, problems, lines.Err()
}

func orNone(word string) string {
	if word == "-" {
		return ""
	}
	return word
}

// ForFile finds the entry for a file name, nil when there is none.
func (t *Table) ForFile(name string) *Entry {
	for i := range t.entries {
		if t.entries[i].matches(name) {
			return &t.entries[i]
		}
	}
	return nil
}

// ContentType is the type of a file by its name. An ending that only tells an
// encoding (".gz") is taken off, and what is left of the name decides.
func (t *Table) ContentType(name string) string {
	for {
		e := t.ForFile(name)
		switch dot := strings.LastIndexByte(name, '.'); {
		case e == nil:
			return ""
		case e.ContentType != "" || e.Encoding == "" || dot < 0:
			return e.ContentType
		default:
			name = name[:dot]
		}
	}
}
