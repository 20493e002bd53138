package conf

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the answers in testdata/spec")

// specBefore stands in front of every case, which begins at line 4.
const specBefore = head + "http_access deny all\n"

// pictures are bytes a text file cannot hold well, as testdata/spec writes them.
var pictures = strings.NewReplacer("␀", "\x00", "␍", "\r", "␋", "\v", "␌", "\f", "␈", "\b")

// TestSpecification: testdata/spec says what each kind of line comes to. A case is
//
//	### its title
//	@name a line of the list file lists/name
//	lines of the file
//	---
//	> what 2.6 prints
//	what we explain
//	= what a dump has for the directives of the case
//	exit status, when it is not 0
//
// That an acl is never used, which TestLint looks at, goes without saying.
func TestSpecification(t *testing.T) {
	files, err := filepath.Glob("testdata/spec/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		intro, rest, _ := strings.Cut(string(text), "### ")
		written := intro
		for part := range strings.SplitSeq(rest, "\n### ") {
			title, body, _ := strings.Cut(part, "\n")
			given, want, _ := strings.Cut(body+"\n", "\n---\n")
			got := answer(t, given+"\n")
			if want = strings.TrimRight(want, "\n"); got != want && !*update {
				t.Errorf("%s: %s\n%s\n---\ngot\n%s\nwant\n%s", filepath.Base(name), title, given, got, want)
			}
			written += "### " + title + "\n" + given + "\n---\n" + got + "\n\n"
		}
		if *update {
			if err := os.WriteFile(name, []byte(strings.TrimSuffix(written, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// answer is what reading the lines comes to, in the form of testdata/spec.
func answer(t *testing.T, given string) string {
	cfg, report := read(t, given)
	var b strings.Builder
	for _, l := range report.Lines {
		if !strings.HasSuffix(l.Text, "Terminated abnormally.") && !l.Untrue {
			fmt.Fprintf(&b, "> %s\n", strings.TrimSuffix(l.Text, "\n"))
		}
	}
	report.Diagnostics = slices.DeleteFunc(report.Diagnostics, func(d Diagnostic) bool { return d.Check == "acl-unused" })
	report.Inert = nil // TestInert
	explained := explanation(report)
	if i := strings.LastIndex(strings.TrimSuffix(explained, "\n"), "\n"); i >= 0 { // but for the count
		b.WriteString(explained[:i+1])
	}
	if cfg != nil {
		b.WriteString(dumpOf(cfg, report))
	}
	if report.Exit != 0 {
		fmt.Fprintf(&b, "exit %d\n", report.Exit)
	}
	shown := strings.NewReplacer("\x00", "␀", "\r", "␍", "\v", "␋", "\f", "␌", "\b", "␈").Replace(b.String())
	return strings.TrimSuffix(shown, "\n")
}

// read loads the lines of a case, with its list files, behind specBefore.
func read(t *testing.T, given string) (*Config, *Report) {
	lists, lines := map[string]string{}, specBefore
	for line := range strings.Lines(pictures.Replace(given)) {
		if file, ok := strings.CutPrefix(line, "@"); ok {
			name, text, _ := strings.Cut(file, " ")
			lists[name] += text
		} else {
			lines += line
		}
	}
	return LoadText("squid.conf", []byte(lines), Options{World: oracle(t).with(lists), Lint: true})
}

// dumpOf is what a dump has for the directives that are given behind specBefore.
func dumpOf(cfg *Config, report *Report) string {
	seen := map[string]bool{"http_access": true}
	d := &dumper{secrets: true}
	for _, g := range report.Given {
		if (g.Pos.Line > 3 || g.Pos.File != "squid.conf") && !seen[g.Directive.Name] && g.Directive.kind.dump != nil {
			seen[g.Directive.Name] = true
			g.Directive.kind.dump(cfg, d, g.Directive.Name)
		}
	}
	var b strings.Builder
	for line := range strings.Lines(d.out.String()) {
		if line != "acl all src 0.0.0.0/0.0.0.0\n" && line != "http_port 0.0.0.0:3128\n" {
			b.WriteString("= " + line)
		}
	}
	return b.String()
}

// TestChecksHaveExamples: each warning the room can give is given by a case of
// testdata/spec, a row of TestLint or a file of TestOddBytes.
func TestChecksHaveExamples(t *testing.T) {
	seen := map[string]bool{"open": true, "line-long": true} // TestLoadFiles, TestOddBytes
	note := func(r *Report) {
		for _, d := range append(r.Diagnostics, r.Extensions...) {
			seen[d.Check] = true
		}
	}
	for _, c := range lintCases {
		_, report := loadText(t, c.text)
		note(report)
	}
	files, _ := filepath.Glob("testdata/spec/*.txt")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(text), "\n### ") {
			given, _, _ := strings.Cut(part, "\n---\n")
			_, lines, _ := strings.Cut(given, "\n")
			_, report := read(t, lines)
			note(report)
		}
	}
	_, report := LoadText("squid.conf", []byte(specBefore+"error_directory /nope\n"), Options{World: bare{}})
	note(report)
	for _, check := range checksInSource(t) {
		if !seen[check] {
			t.Errorf("nothing gives an example of %s", check)
		}
	}
}

// checksInSource are the names of checks in the room's code: what warnings are given
// under, and what Check is set to.
func checksInSource(t *testing.T) (list []string) {
	argument := map[string]int{"warn": 0, "warnAt": 1, "warnValue": 1, "finding": 2}
	literal := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			list = append(list, strings.Trim(l.Value, `"`))
		}
	}
	for _, file := range sourceFiles(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				if at, known := argument[selected(f, ok)]; known && at < len(n.Args) {
					literal(n.Args[at])
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Check" {
					literal(n.Value)
				}
			case *ast.AssignStmt:
				if f, ok := n.Lhs[0].(*ast.SelectorExpr); ok && f.Sel.Name == "Check" {
					literal(n.Rhs[0])
				}
			}
			return true
		})
	}
	if len(list) < 50 {
		t.Fatalf("only %d checks found", len(list))
	}
	return list
}

func selected(f *ast.SelectorExpr, ok bool) string {
	if !ok {
		return ""
	}
	return f.Sel.Name
}
