package main

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the top of the repository, seen from here.
const root = "../.."

// mostLines is how long a file may be: a longer one holds more than one concept.
const mostLines = 800

// vagueNames are those of files and packages that gather what found no place.
var vagueNames = []string{"util", "utils", "common", "helpers", "misc"}

// goFiles reads every Go file of the repository, by its path.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			files[filepath.ToSlash(name)], err = os.ReadFile(path)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 300 {
		t.Fatalf("%d Go files: the test saw nothing", len(files))
	}
	return files
}

func TestFilesAreFormattedShortAndNamed(t *testing.T) {
	for path, text := range goFiles(t) {
		if neat, err := format.Source(text); err != nil || !bytes.Equal(neat, text) {
			t.Errorf("%s: gofmt would change it (%v)", path, err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > mostLines {
			t.Errorf("%s has %d lines", path, lines)
		}
		for part := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSuffix(path, ".go"), "_test"), "/") {
			if slices.Contains(vagueNames, part) {
				t.Errorf("%s: %q says nothing of what it holds", path, part)
			}
		}
	}
}

// Every package says what it is, and is found in the README.
func TestPackagesAreIntroduced(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	introduced := map[string]bool{}
	for path, text := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		introduced[dir] = introduced[dir] || file.Doc.Text() != ""
	}
	for dir, done := range introduced {
		if !done {
			t.Errorf("%s has no package comment", dir)
		}
		if !bytes.Contains(readme, []byte(dir)) && !bytes.Contains(readme, []byte(filepath.Base(dir))) {
			t.Errorf("README.md does not say where %s belongs", dir)
		}
	}
}

// Exported names say what they are. Methods that come with an interface of the
// standard library, and fields, are left to judgement.
func TestExportedNamesAreDocumented(t *testing.T) {
	for path, text := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "cmd/") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range undocumented(file) {
			t.Errorf("%s: %s has no comment", path, name)
		}
	}
}

// wellKnown are methods whose name says all there is to say.
var wellKnown = []string{"Error", "Unwrap", "String", "Is", "As", "Read", "Write", "Close", "Len", "Less", "Swap",
	"ReadFrom", "WriteTo", "MarshalJSON", "MarshalText", "UnmarshalText", "Format"}

func undocumented(file *ast.File) []string {
	var names []string
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			of := receiver(d)
			if d.Name.IsExported() && ast.IsExported(of) && d.Doc == nil && (d.Recv == nil || !slices.Contains(wellKnown, d.Name.Name)) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						names = append(names, s.Name.Name)
					}
				case *ast.ValueSpec:
					// A comment on a group speaks for the names in it.
					if s.Doc == nil && s.Comment == nil && d.Doc == nil {
						for _, n := range s.Names {
							if n.IsExported() {
								names = append(names, n.Name)
							}
						}
					}
				}
			}
		}
	}
	return names
}

// receiver is the type a method belongs to, the function's own name for others.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	at := f.Recv.List[0].Type
	for {
		switch t := at.(type) {
		case *ast.StarExpr:
			at = t.X
		case *ast.IndexExpr:
			at = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}
