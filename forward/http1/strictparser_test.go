package http1

import (
	"bytes"
	"fmt"
)

// strictHead is a message head as the grammar of RFC 9112 has it, read by a
// parser that shares nothing with the product and forgives nothing.
type strictHead struct {
	start  string
	fields [][2]string
}

// readStrict reads a head that must fill b completely.
func readStrict(b []byte) (h strictHead, err error) {
	var linesRead [][]byte
	for {
		line, rest, found := bytes.Cut(b, []byte("\r\n"))
		if !found {
			return h, fmt.Errorf("line without end: %q", b)
		}
		if bytes.ContainsAny(line, "\r\n\x00") {
			return h, fmt.Errorf("stray line end or NUL in %q", line)
		}
		b = rest
		if len(line) == 0 {
			break
		}
		linesRead = append(linesRead, line)
	}
	if len(b) > 0 {
		return h, fmt.Errorf("a second message begins with %q", b)
	}
	if len(linesRead) == 0 {
		return h, fmt.Errorf("no start line")
	}
	h.start = string(linesRead[0])
	for _, line := range linesRead[1:] {
		key, value, found := bytes.Cut(line, []byte(":"))
		if !found || len(key) == 0 {
			return h, fmt.Errorf("no field: %q", line)
		}
		for _, c := range key {
			if c <= ' ' || c >= 0x7f || bytes.IndexByte([]byte("()<>@,;:\\\"/[]?={}"), c) >= 0 {
				return h, fmt.Errorf("no token: %q", key)
			}
		}
		h.fields = append(h.fields, [2]string{string(key), string(bytes.Trim(value, " \t"))})
	}
	return h, nil
}
