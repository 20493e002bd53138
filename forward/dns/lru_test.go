package dns

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The lru behaves like a slice of keys, latest first.
func TestLRU(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lru[int, int]
		l.init()
		var order []int
		values := map[int]int{}
		touch := func(key int) {
			order = slices.DeleteFunc(order, func(k int) bool { return k == key })
			order = slices.Insert(order, 0, key)
		}
		keys := rapid.IntRange(0, 9)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				key, value := keys.Draw(t, "key"), rapid.Int().Draw(t, "value")
				l.put(key, value)
				values[key] = value
				touch(key)
			},
			"get": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				got := l.get(key)
				want, ok := values[key]
				if (got != nil) != ok || ok && *got != want {
					t.Fatalf("get(%d)", key)
				}
				if ok {
					touch(key)
				}
			},
			"peek": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				if _, ok := values[key]; (l.peek(key) != nil) != ok {
					t.Fatalf("peek(%d)", key)
				}
			},
			"shrink": func(t *rapid.T) {
				n := rapid.IntRange(0, 10).Draw(t, "n")
				l.shrink(n, nil)
				for len(order) > n {
					delete(values, order[len(order)-1])
					order = order[:len(order)-1]
				}
			},
			"": func(t *rapid.T) {
				var got []int
				l.all(func(key int, value *int) {
					got = append(got, key)
					if *value != values[key] {
						t.Fatalf("%d holds %d, want %d", key, *value, values[key])
					}
				})
				if !slices.Equal(got, order) || len(l.entries) != len(order) {
					t.Fatalf("order %v, want %v", got, order)
				}
			},
		})
	})
}
