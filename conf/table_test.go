package conf

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTableComplete: every row has a name of its own, a grammar, help in whole
// sentences, and a default that can be read.
func TestTableComplete(t *testing.T) {
	seen := map[string]bool{}
	own, aliases, extensions := 0, 0, 0
	for _, d := range Directives() {
		for _, n := range append([]string{d.Name}, d.Aliases...) {
			if seen[n] {
				t.Errorf("%s is in the table twice", n)
			}
			seen[n] = true
		}
		aliases += len(d.Aliases)
		if d.Extension != "" {
			extensions++
		} else {
			own++
		}
		if d.Grammar() == "" || d.kind.set == nil {
			t.Errorf("%s has no grammar", d.Name)
		}
		if len(d.Help) < 25 || !strings.HasSuffix(strings.TrimSpace(d.Help), ".") && !strings.HasSuffix(d.Help, "%L in error pages.") {
			t.Errorf("%s: help %q is no sentence", d.Name, d.Help)
		}
		if d.Default == "" && d.IfNone == "" && d.kind.single && d.Grammar() != "path" && d.Grammar() != "word" && d.Grammar() != "text to the end of the line" {
			t.Errorf("%s has no default", d.Name)
		}
	}
	if own != 250 || aliases != 14 {
		t.Errorf("%d directives and %d aliases of 2.6; there are 250 and 14", own, aliases)
	}
	t.Logf("%d directives of 2.6, %d old names, %d extensions", own, aliases, extensions)
}

// TestExamples: every example of the documentation is accepted by itself.
func TestExamples(t *testing.T) {
	for _, d := range Directives() {
		if d.Example == "" || d.Name == "include" {
			continue
		}
		text := "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\nacl lan src 10.0.0.0/8\n"
		if strings.Contains(d.Example, "acl lan") {
			text = "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"
		}
		if strings.Contains(d.Example, "acl all") {
			text = "http_port 3128\n"
		}
		_, report := loadText(t, text+d.Example+"\n")
		if !report.Accepted() {
			t.Errorf("%s: the example is refused: %v", d.Name, report.Lines)
		}
		if !strings.Contains(d.Example, d.Name) {
			t.Errorf("%s: the example %q does not use it", d.Name, d.Example)
		}
	}
}

// TestFieldsNameDirectives: the comment of every field of Config begins with the
// directive it holds, and every directive has such a field.
func TestFieldsNameDirectives(t *testing.T) {
	var comments strings.Builder
	for _, file := range sourceFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if field, ok := n.(*ast.Field); ok && field.Doc != nil {
				comments.WriteString(field.Doc.Text())
			}
			return true
		})
	}
	all := comments.String()
	for _, d := range Directives() {
		if d.Name == "include" {
			continue
		}
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(d.Name) + `\b`).MatchString(all) {
			t.Errorf("no field's comment names %s", d.Name)
		}
	}
}

// sourceFiles are the room's files without its tests, as syntax trees.
func sourceFiles(t *testing.T) (list []*ast.File) {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := goparser.ParseFile(token.NewFileSet(), f.Name(), nil, goparser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, file)
	}
	return list
}
