package conf

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// maxIncludeDepth bounds how deep include may be nested, as in 2.7.
const maxIncludeDepth = 16

// include reads the files each word names. It is 2.7's directive.
func include() kind {
	return kind{name: "path|pattern…",
		set: func(r *reader) error {
			w, ok := r.quotedWord()
			if !ok {
				return r.bungled("the file's name is missing", "")
			}
			for ; ok; w, ok = r.quotedWord() {
				if err := r.includePattern(w); err != nil {
					return err
				}
			}
			return nil
		}}
}

func (r *reader) includePattern(pattern string) error {
	names := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		names = r.b.world.Glob(pattern)
	}
	for _, name := range names {
		if err := r.includeFile(name); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) includeFile(name string) error {
	b := r.b
	if slices.Contains(b.reading, filepath.Clean(name)) {
		return r.bungled(name+" includes itself", "The files it came by: "+strings.Join(b.reading, ", ")+".")
	}
	if b.depth >= maxIncludeDepth {
		return r.bungled(fmt.Sprintf("include is nested more than %d deep", maxIncludeDepth), "")
	}
	if len(b.including) >= maxIncludes {
		return r.bungled(fmt.Sprintf("more than %d files are included", maxIncludes), "")
	}
	b.including = append(b.including, name)
	text, err := readAll(b.world, name)
	if err != nil {
		if errors.Is(err, errReading) {
			return r.bungled(err.Error(), "")
		}
		return r.bungled(fmt.Sprintf("%s cannot be opened: %s", name, ErrorText(err)), "")
	}
	f, err := parser.Parse(name, text)
	if err != nil {
		return r.bungled(err.Error(), "")
	}
	if _, again := b.included[name]; !again && name != b.cfg.Path {
		if b.included == nil {
			b.included = map[string]inclusion{}
		}
		b.included[name] = inclusion{f, b.at, len(b.including)}
	}
	outer, base := b.file, b.base
	b.file, b.base = f, filepath.Base(name)
	b.depth++
	b.reading = append(b.reading, filepath.Clean(name))
	b.flaws(f)
	for _, line := range f.Lines {
		b.oneLine(line)
		if b.list != nil {
			b.list.close()
			b.list = nil
		}
	}
	b.depth--
	b.reading = b.reading[:len(b.reading)-1]
	b.file, b.base = outer, base
	return nil
}

// maxIncludes bounds the number of files one configuration can be made of.
const maxIncludes = 1000
