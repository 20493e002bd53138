package freshness

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []RangeSpec
	}{
		{"bytes=0-3", []RangeSpec{{0, 3}}},
		{"Bytes=5-", []RangeSpec{{5, -1}}},
		{"bytes=-2", []RangeSpec{{-1, 2}}},
		{"bytes=0-0, 2-3 ,-1", []RangeSpec{{0, 0}, {2, 3}, {-1, 1}}},
		{"bytes=", nil}, {"bytes=-", nil}, {"bytes=3-1", nil}, {"bytes=a-b", nil}, {"chars=1-2", nil}, {"", nil},
		{"bytes=1", nil}, {"bytes=1-2,x", nil}, {"bytes=1-9999999999999999999", nil}, {"bytes=--1", nil}, {"bytes=+1-2", nil},
		{"bytes=" + strings.Repeat("1-2,", mostSpans+1), nil},
	} {
		got, ok := ParseRange(nil, []byte(c.value))
		if ok != (c.want != nil) || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %v %v, want %v", c.value, got, ok, c.want)
		}
	}
}

// The parts cover exactly the bytes a slow reading of the specs names.
func TestSpansAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, 20).Draw(t, "size")
		var specs []RangeSpec
		for range rapid.IntRange(1, 4).Draw(t, "specs") {
			s := RangeSpec{rapid.Int64Range(-1, 25).Draw(t, "from"), rapid.Int64Range(-1, 25).Draw(t, "last")}
			if s.From >= 0 && s.Last >= 0 && s.Last < s.From || s.From < 0 && s.Last < 0 {
				continue
			}
			specs = append(specs, s)
		}
		spans, ordered := Spans(nil, specs, size)
		var want, got []int64
		for _, s := range specs {
			for at := range size {
				if s.From >= 0 && at >= s.From && (s.Last < 0 || at <= s.Last) || s.From < 0 && at >= size-s.Last {
					want = append(want, at)
				}
			}
		}
		for _, s := range spans {
			if s.Len() <= 0 {
				t.Fatalf("%v of %d: empty part %v", specs, size, s)
			}
			for at := s.From; at < s.To; at++ {
				got = append(got, at)
			}
		}
		ascending := true
		for i := 1; i < len(want); i++ {
			ascending = ascending && want[i-1] < want[i]
		}
		if !reflect.DeepEqual(got, want) || ordered != ascending {
			t.Fatalf("%v of %d: %v (ordered %v), want %v", specs, size, spans, ordered, want)
		}
	})
}

func TestDisordered(t *testing.T) {
	for value, want := range map[string]bool{
		"bytes=0-2,3-5": false, "bytes=5-6,1-2": true, "bytes=0-5,3-8": true, "bytes=0-,3-8": true,
		"bytes=-3,0-2": false, "bytes=0-2,-3": false, "bytes=0-2,2-3": true, "chars=5-6,1-2": false,
	} {
		if got := disordered([]byte(value)); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestFetchesWhole(t *testing.T) {
	for _, c := range []struct {
		limit string
		value string
		want  bool
	}{
		{"0 KB", "bytes=0-", false}, {"-1", "bytes=900-", true}, {"6 bytes", "bytes=2-3", true}, {"6 bytes", "bytes=6-", true},
		{"6 bytes", "bytes=7-8", false}, {"6 bytes", "bytes=-2", true}, {"6 bytes", "bytes=7-8,2-3", true},
	} {
		specs, _ := ParseRange(nil, []byte(c.value))
		if got := rulesOf(t, "range_offset_limit "+c.limit).FetchesWhole(specs); got != c.want {
			t.Errorf("range_offset_limit %s, %s: %v", c.limit, c.value, got)
		}
	}
}

func TestMultipart(t *testing.T) {
	m := Multipart{Boundary: "squid/2.6:F41F", ContentType: []byte("text/plain"), Size: 7}
	body := "overlap"
	spans := []Span{{0, 3}, {3, 6}}
	var out []byte
	for _, s := range spans {
		out = append(m.AppendHead(out, s), body[s.From:s.To]...)
	}
	out = m.AppendEnd(out)
	const want = "\r\n--squid/2.6:F41F\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/7\r\n\r\nove" +
		"\r\n--squid/2.6:F41F\r\nContent-Type: text/plain\r\nContent-Range: bytes 3-5/7\r\n\r\nrla\r\n--squid/2.6:F41F--\r\n"
	if string(out) != want {
		t.Errorf("%q, want %q", out, want)
	}
	if m.Length(spans) != int64(len(out)) {
		t.Errorf("length %d, sent %d", m.Length(spans), len(out))
	}
	if got := string(m.AppendType(nil)); got != `multipart/byteranges; boundary="squid/2.6:F41F"` {
		t.Error(got)
	}
}

func TestReadPart(t *testing.T) {
	for _, c := range []struct {
		status, fields string
		part           Span
		size           int64
	}{
		{"206", "Content-Range: bytes 0-9/10\r\nContent-Length: 10\r\n", Span{0, 10}, 10},
		{"206", "Content-Range: bytes 5-6/10\r\n", Span{5, 7}, 10},
		{"206", "Content-Range: bytes 5-6/*\r\n", Span{}, 0},
		{"206", "Content-Range: bytes */10\r\n", Span{}, 0},
		{"206", "Content-Range: bytes 6-5/10\r\n", Span{}, 0},
		{"206", "Content-Range: bytes 5-10/10\r\n", Span{}, 0},
		{"206", "Content-Range: chars 5-6/10\r\n", Span{}, 0},
		{"206", "Content-Range: bytes 5-6/10\r\nContent-Length: 3\r\n", Span{}, 0},
		{"206", "Content-Range: bytes 5-6/10\r\nContent-Range: bytes 5-7/10\r\n", Span{}, 0},
		{"206", "Content-Type: Multipart/Byteranges; boundary=x\r\nContent-Range: bytes 0-9/10\r\n", Span{}, 0},
		{"206", "Content-Type: multipart/byte\r\nContent-Range: bytes 5-6/10\r\n", Span{5, 7}, 10},
		{"206", "", Span{}, 0},
		{"200", "Content-Range: bytes 5-6/10\r\n", Span{}, 0},
	} {
		part, size, ok := ReadPart(replyWith(t, c.status, c.fields))
		if part != c.part || size != c.size || ok != (c.size > 0) {
			t.Errorf("%s %q: %v of %d, %v", c.status, c.fields, part, size, ok)
		}
	}
}

// Pieces joined in any order cover what a set of bytes covers.
func TestPartsAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts Parts
		have := make([]bool, 32)
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			from := rapid.Int64Range(0, 31).Draw(t, "from")
			to := rapid.Int64Range(from, 32).Draw(t, "to")
			parts, _ = parts.Join(Span{from, to})
			for i := from; i < to; i++ {
				have[i] = true
			}
		}
		covered := make([]bool, 32)
		for i, p := range parts {
			if p.From >= p.To || i > 0 && parts[i-1].To >= p.From {
				t.Fatalf("not apart: %v", parts)
			}
			for at := p.From; at < p.To; at++ {
				covered[at] = true
			}
		}
		if !reflect.DeepEqual(have, covered) {
			t.Fatalf("%v does not cover %v", parts, have)
		}
		from := rapid.Int64Range(0, 31).Draw(t, "asked from")
		asked := Span{from, rapid.Int64Range(from, 32).Draw(t, "asked to")}
		missing, end := make([]bool, 32), asked.From
		for _, s := range parts.Missing(asked) {
			if s.From < end || s.To <= s.From || s.To > asked.To {
				t.Fatalf("%v is missing of %v in %v", s, asked, parts)
			}
			for end = s.From; end < s.To; end++ {
				missing[end] = true
			}
		}
		for at := asked.From; at < asked.To; at++ {
			if missing[at] == have[at] {
				t.Fatalf("%d of %v in %v: missing %v", at, asked, parts, missing[at])
			}
		}
		if whole := !strings.Contains(fmt.Sprint(have[:8]), "false"); whole != parts.Whole(8) && len(parts) < 2 {
			t.Fatalf("%v is whole of 8: %v", parts, parts.Whole(8))
		}
	})
}

func TestPartsAreBounded(t *testing.T) {
	var parts Parts
	ok := true
	for i := int64(0); ok; i += 2 {
		parts, ok = parts.Join(Span{i, i + 1})
	}
	if len(parts) != mostParts {
		t.Errorf("%d pieces", len(parts))
	}
	if joined, ok := parts.Join(Span{0, 1 << 20}); !ok || len(joined) != 1 {
		t.Errorf("what joins them is refused: %v", joined)
	}
}

func FuzzRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-3", "bytes=-1,2-", "bytes=5-6,1-2,", "bytes=18446744073709551615-"} {
		f.Add([]byte(seed), int64(10))
	}
	f.Fuzz(func(t *testing.T, value []byte, size int64) {
		specs, ok := ParseRange(nil, value)
		if !ok || size < 0 {
			return
		}
		disordered(value)
		spans, _ := Spans(nil, specs, size)
		if len(spans) > mostSpans {
			t.Fatalf("%d parts", len(spans))
		}
		for _, s := range spans {
			if s.From < 0 || s.From >= s.To || s.To > size {
				t.Fatalf("%q of %d: %v", value, size, s)
			}
		}
	})
}
