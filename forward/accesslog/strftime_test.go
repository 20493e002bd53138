package accesslog

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The expectations are what date(1) prints in the C locale.
func TestStrftimeWeeks(t *testing.T) {
	for day, want := range map[string]string{
		"2021-01-01": "2020 20 53 5 5 00 00 001",
		"2023-01-01": "2022 22 52 7 0 01 00 001",
		"2024-12-30": "2025 25 01 1 1 52 53 365",
		"2024-02-29": "2024 24 09 4 4 08 09 060",
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendStrftime(nil, "%G %g %V %u %w %U %W %j", at)); got != want {
			t.Errorf("%s: %q, want %q", day, got, want)
		}
	}
	for format, want := range map[string]string{"": "", "%": "%", "100%": "100%", "%E": "%E", "%Q%": "%Q%", "%l|%k": "12| 0"} {
		if got := string(appendStrftime(nil, format, time.Unix(0, 0).UTC())); got != want {
			t.Errorf("%q: %q, want %q", format, got, want)
		}
	}
}

func TestPadded(t *testing.T) {
	for _, c := range []struct {
		n     int64
		width int
		pad   byte
		want  string
	}{
		{0, 3, '0', "000"}, {7, 3, '0', "007"}, {1234, 3, '0', "1234"}, {-7, 4, '0', "-007"}, {-7, 4, ' ', "  -7"}, {-1, 0, '0', "-1"},
	} {
		if got := string(appendPadded(nil, c.n, c.width, c.pad)); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// No text, however quoted, gets a line end or a control character into a line
// where a code is meant to be quoted.
func TestQuotingHoldsTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		for name, got := range map[string][]byte{
			"brackets": appendBrackets(nil, text), "url": appendURL(nil, text), "user": appendUser(nil, string(text)),
		} {
			for _, c := range got {
				if c < ' ' || c >= 0x7f {
					t.Fatalf("%s of %q has %q", name, text, c)
				}
			}
		}
		for i, c := range appendString(nil, text) {
			if c == '\n' || c == '\r' || c == '"' && i == 0 {
				t.Fatalf("quoted %q has %q", text, c)
			}
		}
	})
}
