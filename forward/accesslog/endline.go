package accesslog

import "encoding/binary"

// endLine ends a line and leaves it in buf. Whatever a client or an origin managed to
// put into it, it stays one line and tells a terminal nothing: of the control octets
// only the tab, which a logformat may hold, is left as it is.
func endLine(buf *[]byte, line []byte) []byte {
	if hasControls(line) {
		line = escapeControls(line)
	}
	*buf = append(line, '\n')
	return *buf
}

// hasControls reports whether a line may hold an octet below 0x20 or 0x7f, eight at a
// time: most lines hold none.
func hasControls(line []byte) bool {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	for ; len(line) >= 8; line = line[8:] {
		x := binary.LittleEndian.Uint64(line)
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&high != 0 {
			return true
		}
	}
	for _, c := range line {
		if isControl(c) {
			return true
		}
	}
	return false
}

func isControl(c byte) bool { return c < 0x20 || c == 0x7f }

// escapeControls writes line ends and NUL as a blank, as 2.6's readers know it, and
// other control octets as %XX.
func escapeControls(line []byte) []byte {
	out := make([]byte, 0, len(line)+32)
	for _, c := range line {
		switch {
		case c == '\n' || c == 0:
			out = append(out, ' ')
		case isControl(c) && c != '\t':
			out = append(out, '%', hexUpper[c>>4], hexUpper[c&15])
		default:
			out = append(out, c)
		}
	}
	return out
}
