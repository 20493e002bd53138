package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

var update = flag.Bool("update", false, "write the generated parts of README.md")

const readme = "../../README.md"

// The generated parts of README.md are what the program says today.
func TestReadmeIsTrue(t *testing.T) {
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	parts := map[string]string{}
	files, _ := filepath.Glob("../../testdata/conf/mistakes/*.conf")
	if len(files) != 3 {
		t.Fatalf("%d files with mistakes, want 3", len(files))
	}
	for _, file := range files {
		parts[strings.TrimSuffix(filepath.Base(file), ".conf")] = explained(t, file)
	}
	now := text
	for name, want := range parts {
		block := regexp.MustCompile(`(?s)(<!-- begin ` + name + ` -->\n).*?(<!-- end ` + name + ` -->)`)
		if !block.MatchString(now) {
			t.Errorf("README.md has no part %q", name)
		}
		now = block.ReplaceAllStringFunc(now, func(m string) string {
			g := block.FindStringSubmatch(m)
			return g[1] + want + g[2]
		})
	}
	if now == text {
		return
	}
	if *update {
		if err := os.WriteFile(readme, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("README.md is out of date: go test ./cmd/squid -run TestReadmeIsTrue -update")
}

// explained is what -k parse -v says about a file beyond 2.6's own lines.
func explained(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, report := conf.LoadText(filepath.Base(file), text, conf.Options{Lint: true})
	if report.Exit == 0 {
		t.Errorf("%s is accepted: its mistake is gone", file)
	}
	var out bytes.Buffer
	report.Explain(&out, true)
	var b strings.Builder
	for line := range strings.Lines(out.String()) {
		b.WriteString("    " + line)
	}
	return "\n" + b.String() + "\n"
}

// Every order that README.md speaks of exists.
func TestReadmeNamesRealOrders(t *testing.T) {
	data, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("-k ([a-z][a-z-]*)").FindAllStringSubmatch(string(data), -1) {
		if o, ok := findOrder(m[1]); !ok || o.word != m[1] {
			t.Errorf("README.md speaks of -k %s, which does not exist", m[1])
		}
	}
}
