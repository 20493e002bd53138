package helper

import (
	"iter"
	"strings"
)

// Word takes the first word of an answer; rest is what follows the blanks behind it.
func Word(line string) (word, rest string) {
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return line, ""
	}
	return line[:end], strings.TrimLeft(line[end:], " \t")
}

// Pairs goes through KEY=VALUE words. Between double quotes, anywhere in a value, blanks
// are part of it; a backslash takes the next character for what it is; nothing else is
// undone. Words without "=" have the key "".
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

// nextValue takes a value. A closing quote may be missing: then it goes to the end.
func nextValue(text string) (value, rest string) {
	plain := strings.IndexAny(text, " \t\"\\")
	switch {
	case plain < 0:
		return text, ""
	case text[plain] == ' ' || text[plain] == '\t':
		return text[:plain], text[plain:]
	}
	out, quoted := []byte(text[:plain]), false
	for i := plain; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
			continue
		case c == '\\' && i+1 < len(text):
			i++
		case !quoted && (c == ' ' || c == '\t'):
			return string(out), text[i:]
		}
		out = append(out, text[i])
	}
	return string(out), ""
}
