package rewrite

import (
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/helper"
)

// Answer is what url_rewrite_program wants.
type Answer struct {
	// URL takes the place of what was asked for, "" for no change.
	URL string
	// Redirect is the status of a reply that sends the client to Location; 0 for none.
	Redirect int
	Location string
	// Group is the urlgroup the request belongs to from now on, "" for no change.
	Group string
	// Fault says what is wrong with an answer that is not understood, "" for nothing.
	Fault string
}

// Understand reads an answer: [!GROUP!][STATUS:]URL, the newer dialect, or nothing.
func Understand(line string) (a Answer) {
	word, rest := helper.Word(line)
	switch word {
	case "":
		return a
	case "OK":
		return understandPairs(rest)
	case "ERR":
		return a // no change
	case "BH":
		return Answer{Fault: "says that it is broken (BH)"}
	}
	if after, grouped := strings.CutPrefix(word, "!"); grouped {
		group, url, whole := strings.Cut(after, "!")
		if !whole {
			return Answer{Fault: "does not end the urlgroup"}
		}
		a.Group, word = group, url
	}
	if unprintable(word) || unprintable(a.Group) {
		return Answer{Fault: "gives an address with control characters"}
	}
	if status, url, ok := redirection(word); ok {
		a.Redirect, a.Location = status, url
		return a
	}
	a.URL = word
	return a
}

// redirection reads STATUS:URL for the four codes there are (fact helpers/rw-304).
func redirection(word string) (status int, url string, ok bool) {
	if len(word) < 4 || word[3] != ':' {
		return 0, "", false
	}
	switch word[:3] {
	case "301", "302", "303", "307":
		status, _ = strconv.Atoi(word[:3])
		return status, word[4:], true
	}
	return 0, "", false
}

// understandPairs reads what stands behind OK: rewrite-url=, or url= with status=.
func understandPairs(rest string) (a Answer) {
	url, status := "", 302
	for key, v := range helper.Pairs(rest) {
		if unprintable(v) {
			return Answer{Fault: "gives a value with control characters"}
		}
		switch key {
		case "rewrite-url":
			a.URL = v
		case "url":
			url = v
		case "urlgroup", "tag":
			a.Group = v
		case "status":
			n, err := strconv.Atoi(v)
			if err != nil || n != 301 && n != 302 && n != 303 && n != 307 && n != 308 {
				return Answer{Fault: "gives a status that redirects nowhere"}
			}
			status = n
		}
	}
	if url != "" {
		a.URL, a.Redirect, a.Location = "", status, url
	}
	return a
}

// UnderstandLocation reads the answer of location_rewrite_program or
// storeurl_rewrite_program: the new text, "" for no change.
func UnderstandLocation(line string) (text, fault string) {
	word, rest := helper.Word(line)
	switch word {
	case "", "ERR":
		return "", ""
	case "BH":
		return "", "says that it is broken (BH)"
	case "OK":
		for key, v := range helper.Pairs(rest) {
			switch key {
			case "rewrite-url", "url", "store-id", "location":
				word = v
			}
		}
		if word == "OK" {
			return "", ""
		}
	}
	if unprintable(word) {
		return "", "gives an address with control characters"
	}
	return word, ""
}

func unprintable(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] == 0x7f {
			return true
		}
	}
	return false
}
