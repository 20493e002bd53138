package acl

import (
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

func regexes(icase bool, patterns ...string) conf.Regexes {
	var list []conf.Regex
	for _, p := range patterns {
		list = append(list, conf.Regex{Pattern: p, ICase: icase})
	}
	return conf.RegexesOf(list...)
}

func compiled(list conf.Regexes) (*regexSet, error) { return compileRegexes(&list) }

// Plain patterns agree with the regular expression engine.
func TestPlainModel(t *testing.T) {
	texts := rapid.StringMatching(`[aAbB.]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		icase := rapid.Bool().Draw(t, "icase")
		subject := rapid.StringMatching(`[aAbBc.]{0,12}`).Draw(t, "subject")
		var patterns []string
		want := false
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			p := strings.ReplaceAll(texts.Draw(t, "text"), ".", `\.`)
			p = rapid.SampledFrom([]string{"", "^"}).Draw(t, "start") + p + rapid.SampledFrom([]string{"", "$"}).Draw(t, "end")
			patterns = append(patterns, p)
			flags := ""
			if icase {
				flags = "(?i)"
			}
			want = want || regexp.MustCompile(flags+p).MatchString(subject)
		}
		set, err := compiled(regexes(icase, patterns...))
		if err != nil {
			t.Fatal(err)
		}
		if got := set.has(subject); got != want {
			t.Fatalf("%q in %q (icase %v): %v, want %v", patterns, subject, icase, got, want)
		}
	})
}

// The filter reports every text that stands in the subject, at every place, and what it
// reports has four bytes of it there.
func TestGramFilterModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[abA]{1,7}`), 0, 8).Draw(t, "words")
		subject := rapid.StringMatching(`[aAbBc]{0,20}`).Draw(t, "subject")
		var texts gramTexts
		want := map[[2]int]bool{}
		for i, w := range words {
			texts.add(w, uint32(i))
			for at := range len(subject) {
				if strings.HasPrefix(strings.ToLower(subject[at:]), strings.ToLower(w)) {
					want[[2]int{i, at}] = true
				}
			}
		}
		f := newGramFilter(&texts)
		f.find(subject, func(number uint32, at int) bool {
			text, shared := strings.ToLower(words[number]), 0
			for i := range min(maxGram, len(text)) {
				for j := 0; j+i < len(text) && at+j+i < len(subject); j++ {
					if strings.EqualFold(text[j:j+i+1], subject[at+j:at+j+i+1]) {
						shared = i + 1
					}
				}
			}
			if shared < min(maxGram, len(text)) {
				t.Fatalf("%q has no window at %d of %q", text, at, subject)
			}
			delete(want, [2]int{int(number), at})
			return false
		})
		if len(want) > 0 {
			t.Fatalf("%q in %q: missed %v", words, subject, want)
		}
	})
}

// A filter of few texts is small, and takes little memory to make.
func TestGramFilterSize(t *testing.T) {
	var texts gramTexts
	texts.add("banner", 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	newGramFilter(&texts)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
		t.Errorf("%d bytes for one text", n)
	}
	for n, want := range map[int]uint{0: 4, 16: 4, 17: 5, 1 << 10: 10, 1<<10 + 1: 11, 1 << 30: 18} {
		if got := indexBits(n, 4, 18); got != want {
			t.Errorf("%d places: %d bits, want %d", n, got, want)
		}
	}
}

func TestRunMarks(t *testing.T) {
	r := newRun("x")
	for _, i := range []uint32{0, 63, 64, 100000} {
		if !r.first(i) || r.first(i) {
			t.Errorf("pattern %d", i)
		}
	}
	r.free()
	for _, word := range r.seen {
		if word != 0 {
			t.Fatal("marks were left for the next run")
		}
	}
}

func TestRunLatin1(t *testing.T) {
	r := newRun("a\xe9\xffb")
	defer r.free()
	if r.ascii() {
		t.Error("taken for ASCII")
	}
	if got := string(r.latin1()); got != "aéÿb" {
		t.Errorf("%q", got)
	}
}

// Every engine behind a pattern is reached: literal text, Go's, and the slow one.
func TestRegexSetDialect(t *testing.T) {
	for _, c := range []struct {
		pattern, subject string
		icase, want      bool
	}{
		{`[-./]sex[-./]`, "http://x/a.sex/b", false, true},
		{`[-./]sex[-./]`, "http://essex/", false, false},
		{`^(a|b)+$`, "ABBA", true, true},
		{`(.)\1`, "hello", false, true},
		{`(.)\1`, "world", false, false},
		{`\<.ello`, "hello", false, true},
		{`caf.`, "caf\xe9", false, true},
		{`^.....$`, "caf\xc3\xa9", false, true}, // bytes, not characters
		{`[[:upper:]]`, "lower", false, false},
		{`\.(gif|jpe?g|png)$`, "/a/B.JPEG", true, true},
	} {
		set, err := compiled(regexes(c.icase, c.pattern))
		if err != nil {
			t.Fatal(err)
		}
		if got := set.has(c.subject); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.subject, got)
		}
	}
	if _, err := compiled(regexes(false, "(a")); err == nil {
		t.Error("a broken pattern was taken")
	}
}
