package forward

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// downwards are the files in the order in which a connection, and then a request,
// passes them; what all of them are about stands below.
var downwards = strings.Fields(`life listener serve prefetch sniff run tunnels fill own lookup refuse admit understand
	deliver forward log transaction write client server policy`)

// mostUp bounds the pairs of files of which the lower one names something of the upper.
// Two are there by nature: a client has its transaction, and the server has its clients.
const mostUp = 2

// Files name what is defined in files below them.
func TestCallsRunDownwards(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || name == "doc.go" {
			continue
		}
		if !slices.Contains(downwards, strings.TrimSuffix(name, ".go")) {
			t.Errorf("%s has no place in the order of files", name)
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: unread{}, Error: func(error) {}}
	pkg, _ := config.Check("forward", fset, files, info) // what other packages have is not known
	place := func(at token.Pos) int {
		return slices.Index(downwards, strings.TrimSuffix(filepath.Base(fset.Position(at).Filename), ".go"))
	}
	down, up := 0, map[string][]string{}
	for id, of := range info.Uses {
		_, method := of.(*types.Func)
		if of.Pkg() != pkg || !method && of.Parent() != pkg.Scope() {
			continue
		}
		from, to := place(id.Pos()), place(of.Pos())
		switch {
		case from < to:
			down++
		case from > to:
			arrow := downwards[from] + " -> " + downwards[to]
			up[arrow] = append(up[arrow], id.Name)
		}
	}
	if down < 300 {
		t.Errorf("%d uses of what is below: the test sees too little", down)
	}
	if len(up) > mostUp {
		t.Errorf("%d arrows run back up, at most %d are wanted: %v", len(up), mostUp, up)
	}
}

// unread gives packages without looking into them.
type unread struct{}

// Import implements types.Importer.
func (unread) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	p.MarkComplete()
	return p, nil
}
