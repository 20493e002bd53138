package main

import (
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strconv"
)

// difference is one place where an observation is not what was recorded.
type difference struct {
	where         string
	recorded, now any
}

// compare gives the grade reached, 0 to 3, and what stopped it. A play that was late by
// so many seconds may be as far off with its dates and ages.
func compare(recorded, now map[string]any, sc *scenario, late int) (int, []difference) {
	slack := orDefault(sc.Slack, 2) + late
	for grade := 1; grade <= 3; grade++ {
		d := differ(view(recorded, grade, sc, late), view(now, grade, sc, late), slack, "")
		if grade == 1 {
			d = append(d, elapsedProblems(now, sc)...)
		}
		if len(d) > 0 {
			return grade - 1, d
		}
	}
	return 3, nil
}

// differ lists the differences of two trees, tolerant of dates and ages.
func differ(a, b any, slack int, where string) []difference {
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok && sameText(a, b, slack) {
			return nil
		}
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return differMaps(a, b, slack, where)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return differLists(a, b, slack, where)
		}
	default:
		if reflect.DeepEqual(a, b) {
			return nil
		}
	}
	return []difference{{where, a, b}}
}

const absent = "<absent>"

func differMaps(a, b map[string]any, slack int, where string) (out []difference) {
	keys := []string{}
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	for _, k := range keys {
		av, inA := a[k]
		bv, inB := b[k]
		switch {
		case !inA:
			out = append(out, difference{where + "/" + k, absent, bv})
		case !inB:
			out = append(out, difference{where + "/" + k, av, absent})
		default:
			out = append(out, differ(av, bv, slack, where+"/"+k)...)
		}
	}
	return out
}

func differLists(a, b []any, slack int, where string) (out []difference) {
	for i := range max(len(a), len(b)) {
		at := fmt.Sprintf("%s[%d]", where, i)
		switch {
		case i >= len(a):
			out = append(out, difference{at, absent, b[i]})
		case i >= len(b):
			out = append(out, difference{at, a[i], absent})
		default:
			out = append(out, differ(a[i], b[i], slack, at)...)
		}
	}
	return out
}

var tolerated = regexp.MustCompile(`\{(DATE|AGE):([+-]?\d+)\}`)

// sameText compares texts in which dates and ages may differ by slack seconds.
func sameText(a, b string, slack int) bool {
	if a == b {
		return true
	}
	if tolerated.ReplaceAllString(a, "{$1}") != tolerated.ReplaceAllString(b, "{$1}") {
		return false
	}
	as, bs := tolerated.FindAllStringSubmatch(a, -1), tolerated.FindAllStringSubmatch(b, -1)
	for i := range as {
		x, _ := strconv.Atoi(as[i][2])
		y, _ := strconv.Atoi(bs[i][2])
		if max(x-y, y-x) > slack {
			return false
		}
	}
	return true
}

// elapsedProblems checks the bounds a scenario sets on logged elapsed times.
func elapsedProblems(obs map[string]any, sc *scenario) (out []difference) {
	logs, _ := obs["logs"].(map[string]any)
	lines, _ := logs["access.log"].([]any)
	for i, bounds := range sc.ElapsedMS {
		if len(bounds) != 2 {
			continue
		}
		where := fmt.Sprintf("elapsed[%d]", i)
		want := fmt.Sprintf("%g to %g ms", *bounds[0], *bounds[1])
		if i >= len(lines) {
			out = append(out, difference{where, want, "no such line"})
			continue
		}
		ms, ok := lines[i].(map[string]any)["ms"].(float64)
		if !ok || ms < *bounds[0] || ms > *bounds[1] {
			out = append(out, difference{where, want, ms})
		}
	}
	return out
}
