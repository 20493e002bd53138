package main

import (
	"bytes"
	"strings"
	"testing"
)

const events = `go: downloading something
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"the words of A\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"the words of B\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p","Elapsed":1.5}
`

func TestTally(t *testing.T) {
	for _, c := range []struct {
		name, more, show string
		strict, good     bool
		words            []string
	}{
		{name: "a skip is named", good: true, words: []string{"SKIP p TestB: the words of B", "ok   p 1.5 s", "PASS: 1 passed, 0 failed, 1 skipped", "go: downloading"}},
		{name: "strict refuses it", strict: true, words: []string{"FAIL: 1 passed, 0 failed, 1 skipped"}},
		{name: "shown although good", show: "TestA", good: true, words: []string{"the words of A"}},
		{name: "a failure", more: `{"Action":"output","Package":"q","Test":"TestC","Output":"the words of C\n"}
{"Action":"fail","Package":"q","Test":"TestC"}
{"Action":"fail","Package":"q"}
`, words: []string{"FAIL q TestC\nthe words of C", "FAIL q\n", "FAIL: 1 passed, 1 failed"}},
		{name: "a package that does not build", more: `{"Action":"build-output","Output":"q.go:1: wrong\n"}
{"Action":"fail","Package":"q"}
`, words: []string{"q.go:1: wrong", "FAIL"}},
	} {
		var out bytes.Buffer
		tl := &tally{out: &out, show: c.show, lines: map[string][]string{}}
		if err := tl.read(strings.NewReader(events + c.more)); err != nil {
			t.Fatal(err)
		}
		if got := tl.good(c.strict); got != c.good {
			t.Errorf("%s: good is %v", c.name, got)
		}
		for _, w := range c.words {
			if !strings.Contains(out.String(), w) {
				t.Errorf("%s: %q is missing in\n%s", c.name, w, out.String())
			}
		}
	}
	empty := &tally{out: &bytes.Buffer{}, lines: map[string][]string{}}
	if empty.read(strings.NewReader("")); empty.good(false) {
		t.Error("a run without any test counts as good")
	}
}
