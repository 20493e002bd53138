package conf

import (
	"strings"

	"github.com/hbollon/go-edlib"
)

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
		if d := edlib.OSADamerauLevenshteinDistance(lower, strings.ToLower(v)); d < bestAt {
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
