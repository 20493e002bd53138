package helper

import "testing"

// A helper that answers at once is looked at behind every question, one that does not
// behind one in lookAgain.
func TestPromptness(t *testing.T) {
	for name, c := range map[string]struct {
		there bool
		looks int
	}{"prompt": {true, 10*lookAgain - lookAgain + 1}, "slow": {false, 10}} {
		var p promptness
		looks := 0
		for range 10 * lookAgain {
			if p.likely() && p.was(c.there) == c.there {
				looks++
			}
		}
		if looks != c.looks {
			t.Errorf("%s: %d looks, want %d", name, looks, c.looks)
		}
	}
}
