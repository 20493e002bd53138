package conf

import "strings"

// nearest finds the valid word that is most like word, "" when none is near: at most
// a third of the letters may differ, or word is the beginning of one valid word alone.
func nearest(word string, valid []string) string {
	best, bestAt := "", max(1, min(3, (len(word)+1)/3))+1
	lower := strings.ToLower(word)
	if len(lower) > 64 {
		return ""
	}
	for _, v := range valid {
		if diff := len(v) - len(word); diff >= bestAt || -diff >= bestAt {
			continue
		}
		if d := distance(lower, strings.ToLower(v)); d < bestAt {
			best, bestAt = v, d
		}
	}
	if best == "" && len(word) >= 3 {
		for _, v := range valid {
			if foldPrefix(v, word) {
				if best != "" {
					return ""
				}
				best = v
			}
		}
	}
	return best
}

// distance is the number of letters to insert, drop, replace or swap with a neighbour.
func distance(a, b string) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
