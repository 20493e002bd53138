package conf

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// maxIncludeDepth ends loops of include.
const maxIncludeDepth = 16

// include reads the files each word names. It is 2.7's directive.
func include() kind {
	return kind{name: "path|pattern…",
		set: func(r *reader) error {
			patterns := r.wordList()
			if len(patterns) == 0 {
				return r.bungled("the file's name is missing", "")
			}
			for _, p := range patterns {
				if err := r.includePattern(p); err != nil {
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
	if b.depth >= maxIncludeDepth {
		return r.bungled(fmt.Sprintf("include is nested more than %d deep", maxIncludeDepth), "Does a file include itself?")
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
	for _, line := range f.Lines {
		b.oneLine(line)
		if b.list != nil {
			b.list.close()
			b.list = nil
		}
	}
	b.depth--
	b.file, b.base = outer, base
	return nil
}

// maxIncludes bounds the number of files one configuration can be made of.
const maxIncludes = 1000
