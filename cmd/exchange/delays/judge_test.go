package delays

import (
	"fmt"
	"slices"
	"testing"
)

// slack is room in octets for heads, one read and one packet; free the seconds in which
// an unlimited transfer is over.
const (
	slack = 4000
	free  = 2.0
	bin   = 0.1 // the seconds of an interval
)

// figures are what was measured of the flows of an expectation.
type figures struct {
	series []float64 // octets so far, at the end of each interval
	size   float64   // all there is
	from   float64
	shares []int
	uptime float64
}

func (f *figures) total() float64 {
	if len(f.series) == 0 {
		return 0
	}
	return f.series[len(f.series)-1]
}

// measure adds up flows.
func measure(e *expectation, flows []*flow, uptime float64) *figures {
	f := &figures{uptime: uptime, from: -1}
	var of []*flow
	for _, one := range flows {
		if slices.Contains(e.Of, one.ID) {
			of = append(of, one)
			f.size += float64(one.Size)
			f.shares = append(f.shares, one.total)
			if f.from < 0 || one.At < f.from {
				f.from = one.At
			}
		}
	}
	if e.From != nil {
		f.from = *e.From
	}
	skip, sum, base := int(f.from/bin+0.5), 0.0, 0.0
	for i := range of[0].octets {
		for _, one := range of {
			sum += float64(one.octets[i])
		}
		if i < skip {
			base = sum
			continue
		}
		f.series = append(f.series, sum-base)
	}
	f.size -= base
	if e.Until != nil {
		f.series = f.series[:int((*e.Until-f.from)/bin+0.5)]
	}
	return f
}

// steady is the rate after the first burst, 0 for unknown. Both ends are taken where the
// transfer is most caught up with the expected rate, so that steps do not matter.
func (f *figures) steady(rate float64) float64 {
	last := slices.IndexFunc(f.series, func(v float64) bool { return v >= f.size })
	if last < 0 {
		last = len(f.series)
	}
	if last < 40 {
		return 0
	}
	at := func(i int) float64 { return float64(i+1) * bin }
	ahead := func(from, to int) (best int) {
		best = from
		for i := from; i < to; i++ {
			if f.series[i]-rate*at(i) > f.series[best]-rate*at(best) {
				best = i
			}
		}
		return best
	}
	wide := min(21, (last-10)/2)
	p, q := ahead(2, 10+wide), ahead(last-wide, last)
	if q-p < 10 {
		return 0
	}
	return (f.series[q] - f.series[p]) / (at(q) - at(p))
}

// judge says what is wrong, "" for nothing.
func (e *expectation) judge(f *figures) string {
	total := f.total()
	switch {
	case e.Free:
		if i := min(len(f.series), int(free/bin)) - 1; i < 0 || f.series[i] < f.size {
			return fmt.Sprintf("%.0f octets of %.0f after %v s, should be unlimited", f.series[max(i, 0)], f.size, free)
		}
		return ""
	case e.Between != nil:
		if total < e.Between[0] || total > e.Between[1] {
			return fmt.Sprintf("%.0f octets, should be %v", total, e.Between)
		}
		return ""
	case e.Stalled:
		if total > e.AtMost+slack || total < e.AtLeast-slack {
			return fmt.Sprintf("%.0f octets, should stop at %.0f to %.0f", total, e.AtLeast, e.AtMost)
		}
		return ""
	}
	low, high := e.Start, e.Start
	if e.SinceStart {
		// The bucket fills from the start of the process on.
		low = e.Start + e.Rate*max(0, f.uptime+f.from-2.2)
		high = e.Start + e.Rate*(f.uptime+f.from+2.2)
		if e.Max > 0 {
			low, high = min(e.Max, low), min(e.Max, high)
		}
	}
	high += e.Grace
	for i, got := range f.series {
		t := float64(i+1) * bin
		if most := high + e.Rate*(t+1.05)*1.04 + slack; got > most {
			return fmt.Sprintf("%.0f octets after %.1f s, at most %.0f", got, t, most)
		}
		if e.UpperOnly || t < 0.8 {
			continue
		}
		if least := min(f.size, low+e.Rate*max(0, t-2.6)*0.93-slack); got < least {
			return fmt.Sprintf("%.0f octets after %.1f s, at least %.0f", got, t, least)
		}
	}
	if e.UpperOnly {
		return ""
	}
	if rate := f.steady(e.Rate); rate != 0 && (rate < 0.85*e.Rate || rate > 1.15*e.Rate) {
		return fmt.Sprintf("%.0f octets a second, should be %.0f", rate, e.Rate)
	}
	if burst, need := f.series[min(7, len(f.series)-1)], min(f.size, low)*0.97-slack; burst < need {
		return fmt.Sprintf("a first burst of %.0f octets, should be %.0f", burst, low)
	}
	sum := 0
	for _, share := range f.shares {
		sum += share
	}
	if float64(slices.Min(f.shares)) < e.Fair*float64(sum) {
		return fmt.Sprintf("shares %d", f.shares)
	}
	return ""
}

// The judge takes what fills once a second and what fills all the time, and nothing else.
func TestJudge(t *testing.T) {
	const length = 65
	by := func(rate func(i int) int) *flow {
		f := &flow{ID: "a", Size: 3000000, octets: make([]int, length)}
		for i := range f.octets {
			f.octets[i] = rate(i)
			f.total += f.octets[i]
		}
		return f
	}
	at := func(first, rate int) func(int) int {
		return func(i int) int {
			if i == 0 {
				return first
			}
			return rate / 10
		}
	}
	stairs := func(i int) int {
		if i == 0 {
			return 30000
		}
		if i%10 == 9 {
			return 24000
		}
		return 0
	}
	limit := expectation{Of: []string{"a"}, Start: 30000, Rate: 24000, Max: 60000}
	for name, c := range map[string]struct {
		e  expectation
		of func(int) int
		ok bool
	}{
		"even":          {limit, at(30000, 24000), true},
		"stairs":        {limit, stairs, true},
		"no burst":      {limit, at(0, 24000), false},
		"large burst":   {limit, at(90000, 24000), false},
		"too fast":      {limit, at(30000, 30000), false},
		"too slow":      {limit, at(30000, 16000), false},
		"nothing":       {limit, at(0, 0), false},
		"free":          {expectation{Of: []string{"a"}, Free: true}, at(3000000, 0), true},
		"not free":      {expectation{Of: []string{"a"}, Free: true}, at(30000, 24000), false},
		"stalled":       {expectation{Of: []string{"a"}, Stalled: true, AtLeast: 18000, AtMost: 20000}, at(20000, 0), true},
		"not stalled":   {expectation{Of: []string{"a"}, Stalled: true, AtLeast: 18000, AtMost: 20000}, at(20000, 24000), false},
		"stalled early": {expectation{Of: []string{"a"}, Stalled: true, AtLeast: 18000, AtMost: 20000}, at(5000, 0), false},
		"between":       {expectation{Of: []string{"a"}, Between: []float64{100000, 300000}}, at(30000, 24000), true},
		"not between":   {expectation{Of: []string{"a"}, Between: []float64{100000, 150000}}, at(30000, 24000), false},
	} {
		if why := c.e.judge(measure(&c.e, []*flow{by(c.of)}, 0)); (why == "") != c.ok {
			t.Errorf("%s: %q", name, why)
		}
	}
	unfair := expectation{Of: []string{"a", "b"}, Start: 60000, Rate: 48000, Fair: 0.06}
	a, b := by(at(60000, 48000)), by(at(0, 0))
	b.ID = "b"
	if unfair.judge(measure(&unfair, []*flow{a, b}, 0)) == "" {
		t.Error("one of two starves, and it is good")
	}
}
