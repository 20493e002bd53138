package main

import "strings"

// order is one word of -k.
type order struct {
	word string
	help string
	run  func(*invocation) int
	// more says that -v beside this order asks for more words instead of the version.
	more bool
}

// orders lists the words of -k. 2.6's come first and in its order, because a
// word may be shortened and the first that fits wins (-k r is reconfigure).
func orders() []order {
	return []order{}
}

// findOrder finds the order a word means: the exact word, else the first that
// begins with it.
func findOrder(word string) (order, bool) {
	if word == "" {
		return order{}, false
	}
	all := orders()
	for _, o := range all {
		if o.word == word {
			return o, true
		}
	}
	for _, o := range all {
		if strings.HasPrefix(o.word, word) {
			return o, true
		}
	}
	return order{}, false
}

func speaksMore(word string) bool {
	o, ok := findOrder(word)
	return ok && o.more
}
