package errpage

import "strings"

// piece is literal text followed by a code; code 0 ends the template.
type piece struct {
	text string
	code byte
}

// template is a page cut at its codes.
type template []piece

// cut prepares a template. One that does not show the program's name gets the
// signature at its end.
func cut(text string) template {
	if !strings.Contains(text, "%s") {
		text += "%S"
	}
	return cutCodes(text)
}

func cutCodes(text string) template {
	var t template
	for {
		before, rest, found := strings.Cut(text, "%")
		if !found || rest == "" {
			return append(t, piece{text: text})
		}
		t = append(t, piece{before, rest[0]})
		text = rest[1:]
	}
}

// append puts a page together.
func (s *Pages) append(dst []byte, t template, page *Page, f *Details, inSignature bool) []byte {
	for _, p := range t {
		dst = append(dst, p.text...)
		switch p.code {
		case 0:
			continue
		case 'L':
			dst = append(dst, s.cfg.ErrHTMLText...)
			continue
		case 'S':
			if inSignature {
				dst = append(dst, "[%S]"...)
			} else {
				dst = s.append(dst, s.signature, page, f, true)
			}
			continue
		}
		start := len(dst)
		text, known := s.appendCode(dst, p.code, page, f)
		if !known {
			dst = append(dst, '%', p.code)
			continue
		}
		dst = escape(text, start)
	}
	return dst
}

// escape makes text[start:] safe inside HTML text and quoted attributes.
func escape(text []byte, start int) []byte {
	extra := 0
	for _, c := range text[start:] {
		extra += len(entity(c))
	}
	if extra == 0 {
		return text
	}
	plain := append([]byte(nil), text[start:]...)
	text = text[:start]
	for _, c := range plain {
		if e := entity(c); e != "" {
			text = append(text, e...)
		} else {
			text = append(text, c)
		}
	}
	return text
}

func entity(c byte) string {
	switch c {
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&quot;"
	case '&':
		return "&amp;"
	case '\'':
		return "&#39;"
	}
	return ""
}
