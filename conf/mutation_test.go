package conf

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMutatedRecordings: a recorded file with a few bytes, words or lines changed is
// read to its end: one verdict, each explanation with its place, and what is accepted
// can be dumped and read back to the same.
func TestMutatedRecordings(t *testing.T) {
	var files []string
	for _, rec := range readRecordings(t) {
		if len(rec.Conf) < 4000 {
			files = append(files, string(latin1(rec.Conf)))
		}
	}
	pieces := []string{" ", "\t", "\n", "\\\n", "\r\n", "\x00", "#", "\"", "'", "!", "-i", "all", "0", "-1", "99999999999", "0x10", "on", "none", "\xff", "é", "%", "=", ",", "/", "{",
		"acl a src 1.2.3.4\n", "http_access deny all\n", "include lists/nosuch\n", strings.Repeat("x", 300)}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SampledFrom(files).Draw(rt, "file")
		for range rapid.IntRange(1, 5).Draw(rt, "changes") {
			at := rapid.IntRange(0, len(text)).Draw(rt, "at")
			end := at + rapid.IntRange(0, min(len(text)-at, 10)).Draw(rt, "drop")
			put := rapid.OneOf(rapid.Just(""), rapid.SampledFrom(pieces), rapid.Map(rapid.SampledFrom(files), func(s string) string {
				return s[:min(len(s), 60)]
			})).Draw(rt, "put")
			text = text[:at] + put + text[end:]
		}
		w := oracle(t)
		cfg, report := LoadText("squid.conf", []byte(text), Options{World: w, Lint: true})
		checkReport(rt, cfg, report)
		if cfg != nil && report.Exit == 0 {
			checkDump(rt, "mutated\n"+text, cfg, w)
		}
	})
}

// checkReport: a verdict is of one mind with itself.
func checkReport(t *rapid.T, cfg *Config, report *Report) {
	fatal := 0
	for _, l := range report.Lines {
		if strings.HasPrefix(l.Text, "FATAL: ") {
			fatal++
		}
	}
	refused := slices.ContainsFunc(report.Diagnostics, func(d Diagnostic) bool { return d.Severity == Error })
	if (cfg == nil) != (fatal == 1) || fatal > 1 || refused != (report.Exit != 0) {
		t.Errorf("configuration %v, %d fatal lines, an error explained: %v, exit %d", cfg != nil, fatal, refused, report.Exit)
	}
	for _, d := range append(report.Diagnostics, report.Extensions...) {
		if d.Pos.IsZero() || d.Summary == "" || d.Check == "" {
			t.Errorf("%+v lacks place, text or name", d)
		}
		if line, under := d.underline(); d.Pos.Col > 0 && strings.IndexByte(under, '^') > len(line) {
			t.Errorf("%v: the mark is off the line\n%s\n%s", d.Pos, line, under)
		}
	}
	var out strings.Builder
	report.Explain(&out, true)
	if strings.ContainsAny(out.String(), "\x00\x1b\r") {
		t.Errorf("%q would move a terminal's cursor", out.String())
	}
}
