package conf

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestRecordedValues: a line means what 2.6's own cache manager said it took it to
// mean (testdata/conf/values).
func TestRecordedValues(t *testing.T) {
	text, err := os.ReadFile(recordings + "values")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\v`, "\v", `\f`, "\f")
	const before = head + "auth_param basic program /bin/cat\n"
	n := 0
	for row := range strings.Lines(string(text)) {
		if row[0] == '#' {
			continue
		}
		line, want, _ := strings.Cut(strings.TrimSuffix(row, "\n"), "\t")
		line, want = unescape.Replace(line), unescape.Replace(want)
		cfg, report := LoadText("squid.conf", []byte(before+line+"\n"), Options{World: oracle(t)})
		if cfg == nil || report.Exit != 0 {
			t.Errorf("%q is refused: %v", line, report.Lines)
			continue
		}
		if got := dumpedWords(cfg, line); !slices.Equal(got, sorted(strings.Fields(want))) {
			t.Errorf("%q: %q, recorded %q", line, got, want)
		}
		n++
	}
	t.Logf("%d lines", n)
}

// dumpedWords are the words behind the name of the directive that line gives, in the
// lines a dump has for it; of an acl they are its values.
func dumpedWords(cfg *Config, line string) []string {
	directive := byName[strings.Fields(line)[0]]
	if directive.Name == "acl" {
		values := cfg.ACLs[len(cfg.ACLs)-1].valueLines()
		return sorted(strings.Fields(strings.Join(slices.Concat(values...), " ")))
	}
	head := strings.Fields(line)[:map[string]int{"cache_peer": 2}[directive.Name]]
	d := &dumper{secrets: true}
	directive.kind.dump(cfg, d, directive.Name)
	var words []string
	for dumped := range strings.Lines(d.out.String()) {
		switch w := strings.Fields(dumped); {
		case len(head) == 0:
			words = append(words, w[1:]...)
		case len(w) >= len(head) && slices.Equal(w[:len(head)], head):
			words = append(words, w[len(head):]...)
		}
	}
	return sorted(words)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// TestInvented: lines nobody would write, made at random from words, numbers, odd
// bytes and list files, get 2.6's exit status and its messages to the letter.
func TestInvented(t *testing.T) {
	n := 0
	readGroup(t, recordings+"invented.jsonl.gz", func(b []byte) {
		var rec struct {
			recording
			Lists map[string]string
		}
		if err := json.Unmarshal(b, &rec); err != nil {
			t.Fatal(err)
		}
		w := oracle(t).with(rec.Lists)
		cfg, report := LoadText("squid.conf", latin1(rec.Conf), Options{World: w, Lint: true})
		if cfg != nil && report.Exit == 0 && (n%25 == 0 || n%3 == 0 && strings.Contains(rec.Name, "splay")) {
			checkDump(t, rec.Name, cfg, w)
		}
		got, blamed, unknown := observe(report)
		if report.Exit != rec.Exit || blamed != rec.Blamed || !slices.Equal(unknown, rec.Unrecognized) || !slices.Equal(got, rec.Messages) {
			t.Errorf("%s: exit %d, recorded %d\n got  %q\n want %q\n%q", rec.Name, report.Exit, rec.Exit, got, rec.Messages, rec.Conf)
		}
		n++
	})
	if n < 1500 {
		t.Errorf("only %d lines", n)
	}
}
