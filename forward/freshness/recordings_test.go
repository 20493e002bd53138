package freshness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// recording is what is used here of a file in testdata/exchange/cache.
type recording struct {
	Name   string
	Conf   []string
	Copy   *bool
	Reason string
	Steps  []struct {
		Send    string
		Do      []json.RawMessage
		Wait    float64
		Restart float64
		Origin  []json.RawMessage
	}
	Observed struct {
		Steps []struct {
			Got []struct {
				Status  string
				Headers []string
				Body    any
			}
		}
		Origin []struct {
			Line    string
			Headers []string
		}
		Logs map[string][]struct{ Line string }
	}
}

// notPlayed are recordings about something else than the functions of this package.
var notPlayed = map[string]string{
	"collapsed-on":              "two clients at a time",
	"collapsed-error":           "two clients at a time",
	"collapsed-first-leaves":    "two clients at a time",
	"deny-supersedes":           "cache deny by the request",
	"negative-not-on-disk":      "a restart",
	"disk-hit-again":            "a restart",
	"head-superseded":           "what a reply takes out of the store",
	"head-supersedes":           "what a reply takes out of the store",
	"reval-203":                 "what a reply takes out of the store",
	"vary-new-not-stored":       "what a reply takes out of the store",
	"reval-range-whole":         "range_offset_limit on the way to the origin",
	"join-running":              "two clients at a time",
	"disk-aufs":                 "a restart",
	"disk-hit":                  "memory and disk",
	"disk-max-object-size":      "what the store takes",
	"hit-no-length":             "framing",
	"key-case":                  "the form of URLs",
	"purge-variant":             "PURGE",
	"range-chunked":             "framing",
	"rp-stale-while-revalidate": "2.6 does not start; the option is an extension here",
}

// differs are recordings the RFC is preferred to, beside those with "copy": false, with
// the section, and what is different.
var differs = map[string]string{
	"reval-304": "RFC 9111 3.2: the 304's fields are in the stored head afterwards; as recorded with update_headers off",
}

// TestRecordings plays what Squid 2.6 was seen doing through the functions of this
// package: tags, which requests the origin got with which conditions, and what the
// client was told.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("../../testdata/exchange/cache/*.json")
	if err != nil || len(files) < 80 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	for _, file := range files {
		rec := readRecording(t, readFile(t, file))
		t.Run(rec.Name, func(t *testing.T) {
			if why := notPlayed[rec.Name]; why != "" {
				t.Skip(why)
			}
			if differs[rec.Name] != "" {
				rec.Conf = append(rec.Conf, "update_headers off")
			}
			rec.compare(t)
		})
	}
}

// TestMoreRecordings plays what 2.6 was seen doing where the recordings of the area
// cache say nothing: one scenario a line of testdata/more.jsonl. All of them are of
// stored heads that a 304 does not renew.
func TestMoreRecordings(t *testing.T) {
	lines := bytes.Split(bytes.TrimSpace(readFile(t, "testdata/more.jsonl")), []byte("\n"))
	if len(lines) < 100 {
		t.Fatalf("%d recordings", len(lines))
	}
	for _, line := range lines {
		rec := readRecording(t, line)
		rec.Conf = append(rec.Conf, "update_headers off")
		t.Run(rec.Name, func(t *testing.T) {
			if rec.Name == "range-206-full" {
				t.Skip("RFC 9111 3.4: a 206 with all of the body is stored, which 2.6 does not")
			}
			rec.compare(t)
		})
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readRecording(t *testing.T, data []byte) *recording {
	t.Helper()
	rec := &recording{}
	if err := json.Unmarshal(data, rec); err != nil {
		t.Fatalf("%s: %v", data[:min(len(data), 80)], err)
	}
	return rec
}

// compare plays a recording: one not to be copied must come out differently.
func (rec *recording) compare(t *testing.T) {
	t.Helper()
	found := rec.play(t, newToy(t, rec.Conf...))
	switch copied := rec.Copy == nil || *rec.Copy; {
	case copied && found != "":
		t.Error(found)
	case !copied && found == "":
		t.Errorf("a recording not to be copied is copied: %s", rec.Reason)
	}
}

// play gives the first difference to what was recorded.
func (rec *recording) play(t *testing.T, c *toy) string {
	var replies []string
	c.origin = func(*toyRequest) (string, bool) {
		if len(replies) == 0 {
			return "", false
		}
		reply := replies[0]
		replies = replies[1:]
		return reply, reply != unreachable
	}
	var answers []toyAnswer
	for i, step := range rec.Steps {
		for _, raw := range step.Origin {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = unreachable
			}
			replies = append(replies, expand(text))
		}
		c.now += step.Wait / 1000
		if step.Send == "" {
			continue
		}
		a := c.do(expand(step.Send))
		answers = append(answers, a)
		got := rec.Observed.Steps[i].Got[0]
		if body, ok := got.Body.(string); ok && body != a.body {
			return fmt.Sprintf("step %d: body %q, recorded %q", i, a.body, body)
		}
		if want := strings.Fields(got.Status)[1]; want != strconv.Itoa(a.status) {
			return fmt.Sprintf("step %d: status %d, recorded %s", i, a.status, want)
		}
		if diff := compareFields(a, got.Headers); diff != "" {
			return fmt.Sprintf("step %d: %s", i, diff)
		}
	}
	return rec.compareRest(c, answers)
}

// compareRest looks at the log lines and at what the origin was asked.
func (rec *recording) compareRest(c *toy, answers []toyAnswer) string {
	for i, l := range rec.Observed.Logs["access.log"] {
		want := strings.Fields(l.Line)[3]
		if i >= len(answers) || string(answers[i].tag)+"/"+strconv.Itoa(answers[i].status) != want {
			return fmt.Sprintf("request %d is logged %v, recorded %s", i, answers[min(i, len(answers)-1)].tag, want)
		}
	}
	asked, recorded := c.asked, 0
	for _, o := range rec.Observed.Origin {
		if o.Line == "" { // a connection tried again and again
			continue
		}
		if recorded >= len(asked) {
			return fmt.Sprintf("the origin got %d requests, recorded more", len(asked))
		}
		for _, h := range o.Headers {
			name, _, _ := strings.Cut(h, ":")
			switch name {
			case "If-Modified-Since", "If-None-Match", "Range":
				if !slices.Contains(asked[recorded].fields, expand(h)) {
					return fmt.Sprintf("request %d to the origin lacks %q: %q", recorded, h, asked[recorded].fields)
				}
			}
		}
		for _, h := range asked[recorded].fields {
			if strings.HasPrefix(h, "If-") && !slices.ContainsFunc(o.Headers, func(r string) bool { return expand(r) == h }) {
				return fmt.Sprintf("request %d to the origin has %q, which is not recorded", recorded, h)
			}
		}
		recorded++
	}
	if more := len(asked) - recorded; more > 0 && rec.Name != "reval-fail" && rec.Name != "reval-must-fail" {
		return fmt.Sprintf("the origin got %d requests more than recorded", more)
	}
	return ""
}

var ageField = regexp.MustCompile(`^Age: (?:\{AGE:)?(\d+)`)

// compareFields compares the sets of fields, ages with some tolerance.
func compareFields(a toyAnswer, recorded []string) string {
	got := append(slices.Clone(a.fields), fmt.Sprintf("X-Cache: %s from proxy.test", a.cache),
		fmt.Sprintf("X-Cache-Lookup: %s from proxy.test:{PORT}", a.lookup))
	var want []string
	ages := [2]int{}
	for _, r := range recorded {
		name, _, _ := strings.Cut(r, ":")
		if m := ageField.FindStringSubmatch(r); m != nil {
			ages[0], _ = strconv.Atoi(m[1])
		} else if name != "Via" && name != "Proxy-Connection" {
			want = append(want, expand(strings.ReplaceAll(r, "{LEN}", "")))
		}
	}
	compared := []string{}
	for _, g := range got {
		if m := ageField.FindStringSubmatch(g); m != nil {
			ages[1], _ = strconv.Atoi(m[1])
		} else {
			compared = append(compared, g)
		}
	}
	if d := ages[0] - ages[1]; d < -2 || d > 2 {
		return fmt.Sprintf("age %d, recorded %d", ages[1], ages[0])
	}
	slices.Sort(want)
	slices.Sort(compared)
	if len(want) != len(compared) {
		return fmt.Sprintf("fields %q, recorded %q", compared, want)
	}
	for i := range want {
		if masked(want[i]) != masked(compared[i]) {
			return fmt.Sprintf("field %q, recorded %q", compared[i], want[i])
		}
	}
	return ""
}

var maskedParts = regexp.MustCompile(`boundary=.*|\{SOMEDATE\}|^(Content-Length|Last-Modified): .*`)

func masked(field string) string { return maskedParts.ReplaceAllString(field, "$1") }

var datePlace = regexp.MustCompile(`\{DATE(?::([+-]?\d+))?\}`)

// expand fills in dates counted from the start, and lengths of text.
func expand(text string) string {
	text = datePlace.ReplaceAllStringFunc(text, func(m string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(datePlace.FindStringSubmatch(m)[1], "+"))
		return string(http1.AppendDate(nil, time.Unix(1_800_000_000+int64(n), 0)))
	})
	text = strings.ReplaceAll(text, "{ORIGIN}", "127.0.0.1:24080")
	return fillPlace.ReplaceAllStringFunc(text, func(m string) string {
		n, _ := strconv.Atoi(fillPlace.FindStringSubmatch(m)[1])
		return strings.Repeat(fillPlace.FindStringSubmatch(m)[2], n)
	})
}

var fillPlace = regexp.MustCompile(`\{FILL:(\d+):([^}])\}`)
