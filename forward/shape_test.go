package forward

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Bounds on what one type and one folder are about: beyond them something else has
// moved in that wants a room of its own.
const (
	mostFields = 31
	mostFiles  = 25
)

// The transaction is the client's side of a request and nothing else.
func TestTransactionStaysSmall(t *testing.T) {
	if n := countFields(reflect.TypeFor[transaction]()); n < 10 || n > mostFields {
		t.Errorf("transaction has %d fields, at most %d are wanted", n, mostFields)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			n++
		}
	}
	if n < 10 || n > mostFiles {
		t.Errorf("%d files lie at the top, at most %d are wanted", n, mostFiles)
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
