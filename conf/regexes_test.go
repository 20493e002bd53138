package conf

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/parser"
)

// However often patterns of two files take turns, each file is kept once.
func TestRegexesOfTwoFiles(t *testing.T) {
	var list Regexes
	names := [3]string{"a", "b", ""}
	for i := range 300 {
		re := Regex{Pattern: "x", ICase: i%2 == 0}
		if name := names[i%3]; name != "" {
			re.Pos = parser.Pos{File: name, Line: i + 1, Col: 1}
		}
		list.add(re)
	}
	for i := range 300 {
		if re := list.At(i); re.Pos.File != names[i%3] || re.ICase != (i%2 == 0) {
			t.Errorf("pattern %d: %+v", i, re)
		}
	}
	if len(list.files) != 2 {
		t.Errorf("%d files", len(list.files))
	}
}
