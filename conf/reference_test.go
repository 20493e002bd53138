package conf

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

// TestReferenceIsCurrent: the committed documentation is what the table says.
func TestReferenceIsCurrent(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{"squid.conf.documented": WriteDocumented, "squid.conf.5": WriteManual, "directives.md": WriteEffects} {
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not what the table says (%v): run go generate ./conf", name, err)
		}
	}
}

// TestReferenceNamesAll: each directive and old name stands in both documents.
func TestReferenceNamesAll(t *testing.T) {
	rows := 0
	for _, s := range sections() {
		rows += len(s.rows)
	}
	if rows != len(table) {
		t.Errorf("the chapters have %d rows, the table %d", rows, len(table))
	}
	var doc bytes.Buffer
	WriteDocumented(&doc)
	for _, d := range Directives() {
		for _, n := range append([]string{d.Name}, d.Aliases...) {
			if !strings.Contains(doc.String(), n) {
				t.Errorf("%s is not documented", n)
			}
		}
	}
}

// TestDocumentedParses: the documented file is a configuration that is accepted
// without a word.
func TestDocumentedParses(t *testing.T) {
	var doc bytes.Buffer
	WriteDocumented(&doc)
	cfg, report := loadText(t, doc.String())
	if cfg == nil || report.Exit != 0 || len(report.Lines) != 0 {
		t.Fatalf("squid.conf.documented: exit %d, %v", report.Exit, report.Lines)
	}
	for _, d := range report.Diagnostics {
		if d.Check != "acl-unused" {
			t.Errorf("squid.conf.documented: %v %s", d.Pos, d.Summary)
		}
	}
}
