package conf

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// unit is a word behind a number and what it multiplies the number by.
type unit struct {
	name   string
	factor int64
}

// plural is how a unit is named in advice: minutes, but KB and bytes.
func (u unit) plural() string {
	if last := u.name[len(u.name)-1]; last == 's' || last == 'B' {
		return u.name
	}
	return u.name + "s"
}

// timeUnits are in seconds.
var timeUnits = []unit{
	{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 7 * 86400},
	{"fortnight", 14 * 86400}, {"month", 30 * 86400}, {"year", 31557790}, {"decade", 315577900},
}

// sizeUnits are in bytes.
var sizeUnits = []unit{{"bytes", 1}, {"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}}

// seconds reads a time: a number and a unit word (facts gram_time_*).
func (r *reader) seconds() (time.Duration, error) {
	w, err := r.need("a time")
	if err != nil {
		return 0, err
	}
	d, n := cDouble(w)
	if d == 0 && n == 0 {
		return 0, r.bungled(fmt.Sprintf("%q is not a number", w), "A time is a number and a unit, such as 5 minutes.")
	}
	factor, err := r.factor("time unit", w, d, n, timeUnits, unit{"second", 1})
	if d = float64(factor) * d; math.IsNaN(d) {
		d = 0
	}
	return saturate(d), err
}

// saturate keeps a time of s seconds inside what a Duration can hold. 2.6 counts in
// 32 bits and wraps; more than they hold means "for good" here.
func saturate(s float64) time.Duration {
	const limit = float64(math.MaxInt64 / int64(time.Second))
	return time.Duration(max(-limit, min(limit, s))) * time.Second
}

// size reads a size; base is the directive's own unit, of which the value must be
// a whole number (facts gram_size_*, gram_kbsize_*). The result is in bytes.
func (r *reader) size(base int64, baseName string) (int64, error) {
	w, err := r.need("a size")
	if err != nil {
		return 0, err
	}
	if w == "none" || w == "-1" {
		return NoLimit, nil
	}
	d, n := cDouble(w)
	if d == 0 && n == 0 {
		return 0, r.bungled(fmt.Sprintf("%q is not a number", w), "A size is a number and a unit: bytes, KB, MB or GB.")
	}
	number := r.here()
	factor, err := r.factor("size unit", w, d, n, sizeUnits, unit{baseName, base})
	if err != nil {
		return 0, err
	}
	f := float64(factor) * d / float64(base)
	v := cTruncate(f)
	if math.Abs(f) >= 1<<63 {
		return 0, r.bungledAt(number, "this is more than can be counted", "none stands for no limit.")
	}
	if float64(v)*2 != f*2 {
		return 0, r.bungledAt(number, fmt.Sprintf("this is not a whole number of %s", baseName),
			"Values of this directive are kept in "+baseName+".")
	}
	// What bytes cannot count is as good as endless.
	return max(math.MinInt64/base, min(math.MaxInt64/base, v)) * base, nil
}

// factor reads the unit behind the number d, which the first n octets of w spell.
// Without a word there it is own, with a warning; a zero has no unit and asks for
// none.
func (r *reader) factor(kind, w string, d float64, n int, units []unit, own unit) (int64, error) {
	if d == 0 {
		return own.factor, nil
	}
	number := r.here()
	word, ok := r.word()
	if !ok {
		r.say("WARNING: No units on '%s', assuming %f %s", r.quoted, d, own.name)
		r.gluedUnit(w, n, number, own.plural())
		return own.factor, nil
	}
	var names []string
	for _, u := range units {
		if foldPrefix(word, u.name) {
			return u.factor, nil
		}
		names = append(names, u.plural())
	}
	return 0, r.unknownWord(kind, word, names)
}

// gluedUnit explains a missing unit.
func (r *reader) gluedUnit(w string, n int, at span, base string) {
	if n < len(w) {
		r.warnAt(at, "unit-glued", fmt.Sprintf("the unit in %q is not seen: it reads as %s %s", w, w[:n], base),
			"Put a blank between number and unit.", w[:n]+" "+w[n:])
		return
	}
	r.warnAt(at, "unit-missing", fmt.Sprintf("%s has no unit and reads as %s %s", w, w, base), "", w+" "+base)
}

// foldPrefix reports whether s begins with prefix, case ignored.
func foldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
