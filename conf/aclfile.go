package conf

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// listPiece is the most bytes of a list file's line that make one value (fact acl_file_longline_split).
const listPiece = 255

// listBuffer is how much of a list file is read at once.
const listBuffer = 64 << 10

// maxListBytes bounds what is read from one list file: a device that never ends must not fill memory.
const maxListBytes = 256 << 20

// skimmed is the number of values Skim takes of a list file.
const skimmed = 1000

// listFile is a list file being read. It outlives the acl line when that line
// took only some of its values, as in 2.6.
type listFile struct {
	name   string
	in     *bufio.Reader
	limit  *io.LimitedReader // below in
	closer io.Closer
	line   int
	taken  int // values given
	// broken: the last piece did not end its line.
	broken bool
	col    int
	// err is what ended the reading, when that was not the end of the file.
	err error
}

func (f *listFile) close() { f.closer.Close() }

// next gives the next value: the line without blanks around it and without a
// comment that begins in column one or behind a blank (facts acl_file_*).
func (f *listFile) next() (v aclValue, ok bool) {
	for {
		piece, ok := f.piece()
		if !ok {
			return aclValue{}, false
		}
		if i := bytes.IndexByte(piece, 0); i >= 0 {
			piece = piece[:i]
		}
		start, end, comment := 0, 0, false
		for i := 0; i < len(piece) && !comment; {
			if isListSpace(piece[i]) {
				i++
				continue
			}
			j := i
			for j < len(piece) && !isListSpace(piece[j]) {
				j++
			}
			if piece[i] == '#' {
				comment = true
				break
			}
			if end == 0 {
				start = i
			}
			end, i = j, j
		}
		if end > 0 {
			f.taken++
			line := strings.TrimRight(string(piece), "\r\n")
			return aclValue{text: line[start:end], file: true, source: line, indent: start,
				pos: parser.Pos{File: f.name, Line: f.line, Col: f.col + start}}, true
		}
	}
}

// piece reads up to listPiece bytes of a line.
func (f *listFile) piece() ([]byte, bool) {
	if f.broken {
		f.col += listPiece
	} else {
		f.line++
		f.col = 1
	}
	b, err := f.in.Peek(listPiece)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b, err = b[:i+1], nil
	}
	f.in.Discard(len(b))
	f.broken = len(b) == listPiece && b[listPiece-1] != '\n'
	switch {
	case err == io.EOF && f.limit.N <= 0 && len(b) == 0:
		f.err = fmt.Errorf("it is larger than %d MB", maxListBytes>>20)
	case err != nil && err != io.EOF:
		f.err = err
	}
	return b, len(b) > 0
}

func isListSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// aclValue is one value of an acl line or of a list file.
type aclValue struct {
	text string
	pos  parser.Pos
	// inLine tells where in the arguments the value stands, or the file's name.
	span span
	file bool
	// source is the line of the list file, as far as it was read; the value begins
	// behind indent bytes of it.
	source string
	indent int
}

// value reads the next value of an acl line: a word, or a line of the file that a
// quoted word names. A word that begins with # ends the list.
func (r *reader) value() (aclValue, bool) {
	for {
		if f := r.b.list; f != nil {
			if v, ok := f.next(); ok && !(r.b.skims(f) && r.b.firstOnly) {
				v.span = r.here()
				r.fromFile = v
				return v, true
			}
			r.fromFile = aclValue{}
			if f.err != nil {
				r.warn("list-file", fmt.Sprintf("the list file cannot be read: %v", f.err), "No further value is taken from it, here and in 2.6.", "")
			}
			f.close()
			r.b.list = nil
		}
		w, ok := r.word()
		if !ok || w[0] == '#' {
			return aclValue{}, false
		}
		if w[0] != '"' && w[0] != '\'' {
			return aclValue{text: w, pos: r.pos(), span: r.here()}, true
		}
		name := w[1:]
		if i := strings.IndexAny(name, `"'`); i >= 0 {
			name = name[:i]
		}
		if !r.openList(name, w) {
			return aclValue{}, false
		}
	}
}

// skims reports whether as many values of a list file were taken as Skim wants.
func (b *builder) skims(f *listFile) bool { return b.opts.Skim && f != nil && f.taken > skimmed }

// openList begins to read a list file.
func (r *reader) openList(name, w string) bool {
	in, err := r.b.world.Open(name)
	if err != nil {
		r.say("strtokFile: %s not found", name)
		detail := "2.6 drops the rest of the line and goes on."
		if !strings.HasSuffix(w, w[:1]) || len(w) < 2 {
			detail = "The name ends at the first blank; the closing quote was not found. " + detail
		}
		r.warn("list-file", fmt.Sprintf("the list file cannot be read: %v", err), detail, "")
		return false
	}
	limit := &io.LimitedReader{R: in, N: maxListBytes}
	r.b.list = &listFile{name: name, closer: in, limit: limit, in: bufio.NewReaderSize(limit, listBuffer)}
	r.b.listFiles = append(r.b.listFiles, name)
	return true
}

// diagnostic puts d at the value's place in its list file.
func (v aclValue) diagnostic(d Diagnostic) Diagnostic {
	d.Pos, d.Len, d.Source, d.sourceCol = v.pos, len(v.text), v.source, v.indent+1
	return d
}
