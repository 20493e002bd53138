package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// change is one leaf of an observation made wrong, or one entry left out.
type change struct {
	where string
	apply func() (undo func())
}

// alwaysThere are keys no observation of the player's is without.
var alwaysThere = map[string]bool{"steps": true, "origin": true, "logs": true, "line": true, "status": true, "headers": true, "ms": true}

// changes lists every way to make one place of a tree wrong.
func changes(v any, where string, put func(any)) (all []change) {
	set := func(what string, wrong any) {
		all = append(all, change{where + what, func() func() { put(wrong); return func() { put(v) } }})
	}
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			all = append(all, changes(inner, where+"/"+key, func(x any) { v[key] = x })...)
			if alwaysThere[key] {
				continue
			}
			all = append(all, change{where + "/" + key + " left out", func() func() { delete(v, key); return func() { v[key] = inner } }})
		}
	case []any:
		for i, inner := range v {
			all = append(all, changes(inner, fmt.Sprintf("%s[%d]", where, i), func(x any) { v[i] = x })...)
			if text, is := inner.(string); is && maskedAge.MatchString(text) {
				continue // a small one may be there or not
			}
			set(fmt.Sprintf("[%d] left out", i), slices.Delete(slices.Clone(v), i, i+1))
			set(fmt.Sprintf("[%d] twice", i), slices.Insert(slices.Clone(v), i, inner))
		}
	case string:
		set(" with an octet more", v+"x")
		if v != "" {
			set(" with another octet", string(v[0]^1)+v[1:])
		}
	case float64:
		set(" and one", v+1)
	case bool:
		set(" not", !v)
	case nil:
		set(" there and empty", []any{})
	}
	return all
}

// meaningless tells what a scenario says is not looked at, or is the same: a
// log's elapsed time beside its line, keys to ignore, an age of no account.
func meaningless(where string, sc *scenario) bool {
	if strings.HasSuffix(where, "/proxy_died left out") || strings.Contains(where, "/ms ") || strings.HasSuffix(where, "/ms left out") {
		return true
	}
	for _, key := range sc.Ignore {
		if strings.Contains(where, "/"+key) {
			return true
		}
	}
	return false
}

// Whatever one place of any recording is replaced by, the judge sees it.
func TestEveryWrongAnswerIsSeen(t *testing.T) {
	every := 48
	if os.Getenv("CUTTLE_FULL") != "" {
		every = 1
	}
	all, err := loadScenarios([]string{data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for n, sc := range all {
		now := without(sc.Observed, "proxy_died")
		recorded := copied(now).(map[string]any)
		if grade, differences := compare(recorded, now, sc, 0); grade != 3 && len(sc.ElapsedMS) == 0 {
			t.Errorf("%s: what was recorded reaches grade %d: %v", sc.id(), grade, differences)
		}
		tries := changes(now, "", nil)
		slices.SortFunc(tries, func(a, b change) int { return strings.Compare(a.where, b.where) })
		for i, c := range tries {
			if (i+n)%every != 0 || meaningless(c.where, sc) {
				continue
			}
			undo := c.apply()
			if grade, _ := compare(recorded, now, sc, 0); grade == 3 {
				t.Errorf("%s: %s is not seen", sc.id(), c.where)
			}
			undo()
			tried++
		}
	}
	t.Logf("%d changes tried", tried)
}

// copied is a tree that shares nothing with v.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = copied(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	}
	return v
}
