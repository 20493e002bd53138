package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cuttle-proxy/cuttle/"

// room is the top-level folder of an import path of ours, "" for foreign ones.
func room(path string) string {
	rest, ours := strings.CutPrefix(path, module)
	if !ours {
		return ""
	}
	return strings.SplitN(rest, "/", 2)[0]
}

// mayImport lists, per room, the other rooms its product code may import.
// Arrows point one way: parser <- conf <- (wccp2 | tproxy | forward) <- cmd.
var mayImport = map[string][]string{
	"parser":  {},
	"conf":    {"parser"},
	"wccp2":   {"conf"},
	"tproxy":  {"conf"},
	"forward": {"conf"},
	"cmd":     {"parser", "conf", "wccp2", "tproxy", "forward"},
}

// onlyFor lists packages that serve tests and tools, and the product code that
// may import them all the same: preflight's trial connection runs in namespaces.
var onlyFor = map[string][]string{
	"tproxy/netlab":             {"cmd/demo", "tproxy/host"},
	"wccp2/routersim":           {"cmd/routersim", "wccp2/routersim/dataplane"},
	"wccp2/routersim/dataplane": {"cmd/routersim"},
	"wccp2/routersim/simcache":  {},
	"wccp2/routersim/dissect":   {},
	"forward/judge":             {},
}

// apart lists rooms of forward, and what they must not know even through others:
// the origin side knows nothing of the client's, the way to a client nothing of where
// the reply comes from, the cache nothing of who a client is and what it may have.
var apart = map[string][]string{
	"forward/fetch":   {"forward", "forward/caching", "forward/reply", "forward/accesslog"},
	"forward/reply":   {"forward", "forward/fetch", "forward/peer", "forward/origin", "forward/errpage"},
	"forward/caching": {"forward", "forward/auth", "forward/rewrite", "forward/ports"},
	"forward/store":   {"forward", "forward/caching", "forward/fetch", "forward/reply", "forward/freshness"},
	"forward/peer":    {"forward", "forward/fetch", "forward/reply", "forward/origin"},
}

func TestImportArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	packages := 0
	for dec.More() {
		var p struct {
			ImportPath    string
			Imports, Deps []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages++
		from := room(p.ImportPath)
		for _, far := range apart[strings.TrimPrefix(p.ImportPath, module)] {
			if slices.Contains(p.Deps, module+far) {
				t.Errorf("%s depends on %s: these two are kept apart", p.ImportPath, far)
			}
		}
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: %q is no room of the house", p.ImportPath, from)
		}
		for _, imp := range p.Imports {
			to := room(imp)
			if to == "" {
				continue
			}
			users, restricted := onlyFor[strings.TrimPrefix(imp, module)]
			switch {
			case restricted && !slices.Contains(users, strings.TrimPrefix(p.ImportPath, module)):
				t.Errorf("%s imports %s, which serves tests and %v only", p.ImportPath, imp, users)
			case p.ImportPath == module+"forward/http1":
				t.Errorf("%s imports %s: http1 imports nothing of ours", p.ImportPath, imp)
			case p.ImportPath == module+"cmd/squid/intercept" && from == to:
				t.Errorf("%s imports %s: it is handed the server and what stays root", p.ImportPath, imp)
			case from == "forward" && p.ImportPath != module+"forward" && imp == module+"forward":
				t.Errorf("%s imports forward: rooms below forward do not", p.ImportPath)
			case to != from && !slices.Contains(allowed, to):
				t.Errorf("%s imports %s: room %s may import only %v", p.ImportPath, imp, from, allowed)
			}
		}
	}
	if packages < 2 {
		t.Fatalf("go list named %d packages: the test saw nothing", packages)
	}
}
