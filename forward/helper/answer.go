package helper

import (
	"iter"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Word takes the first word of an answer; rest is what follows the blanks behind it.
func Word(line string) (word, rest string) {
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], " \t")
}

// Pairs goes through KEY=VALUE words. A value in double quotes may have blanks in it,
// and backslashes that take the next character for what it is; nothing else is undone.
// Words without "=" have the key "".
func Pairs(text string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for {
			if text = strings.TrimLeft(text, " \t"); text == "" {
				return
			}
			end := strings.IndexAny(text, "= \t")
			key := ""
			if end > 0 && text[end] == '=' {
				key, text = text[:end], text[end+1:]
			}
			var value string
			if value, text = nextValue(text); !yield(key, value) {
				return
			}
		}
	}
}

// nextValue takes a value, quoted or not.
func nextValue(text string) (value, rest string) {
	if text == "" || text[0] != '"' {
		end := strings.IndexAny(text, " \t")
		if end < 0 {
			return text, ""
		}
		return text[:end], text[end:]
	}
	value, rest, _ = http1.Quoted(text) // the closing quote may be missing
	return value, rest
}
