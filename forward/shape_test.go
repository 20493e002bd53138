package forward

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Bounds on what one type and one folder are about: beyond them something else has
// moved in that wants a room of its own.
const (
	mostFields  = 30
	mostMethods = 85
	mostFiles   = 22
)

// The transaction is the client's side of a request and nothing else.
func TestTransactionStaysSmall(t *testing.T) {
	if n := countFields(reflect.TypeFor[transaction]()); n < 10 || n > mostFields {
		t.Errorf("transaction has %d fields, at most %d are wanted", n, mostFields)
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, methods := 0, 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		methods += countMethods(file, "transaction")
	}
	if files < 10 || files > mostFiles {
		t.Errorf("%d files lie at the top, at most %d are wanted", files, mostFiles)
	}
	if methods < 10 || methods > mostMethods {
		t.Errorf("transaction has %d methods, at most %d are wanted", methods, mostMethods)
	}
}

// countFields counts the fields of a struct through those embedded in it.
func countFields(s reflect.Type) (n int) {
	for i := range s.NumField() {
		if f := s.Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct {
			n += countFields(f.Type)
		} else {
			n++
		}
	}
	return n
}

// countMethods counts those of a type and of pointers to it.
func countMethods(file *ast.File, name string) (n int) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		of := f.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		if id, ok := of.(*ast.Ident); ok && id.Name == name {
			n++
		}
	}
	return n
}
