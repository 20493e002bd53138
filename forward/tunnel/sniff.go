package tunnel

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Protocol is what the first bytes of an intercepted connection say about the
// protocol spoken on it.
type Protocol uint8

// What may be spoken.
const (
	TooFew Protocol = iota // the bytes are too few to tell
	HTTP                   // a request line, or the beginning of one
	Other                  // something else
)

// Bounds on what is looked at: the longest method, the longest first line of a
// method we do not know.
const (
	longestMethod = 32
	longestLine   = 4 << 10
)

// Sniff looks at the first bytes of a connection. A method of ours with a path is
// HTTP, whatever follows; any other line has to end in an HTTP version.
func Sniff(in []byte, methods *http1.Methods) Protocol {
	line := in[http1.SkipSpace(in):]
	end := 0
	for end < len(line) && http1.IsTokenChar(line[end]) {
		end++
	}
	switch {
	case end > longestMethod || len(in) > longestLine && end == len(line):
		return Other
	case end == len(line):
		return TooFew
	case end == 0 || line[end] != ' ' && line[end] != '\t':
		return Other
	}
	known := methods.Lookup(line[:end]) != http1.NoMethod
	newline := bytes.IndexByte(line, '\n')
	switch {
	case known && end+1 < len(line) && line[end+1] == '/':
		return HTTP
	case newline >= 0 && bytes.Contains(line[:newline], []byte(" HTTP/")):
		return HTTP
	case newline < 0 && len(line) < longestLine:
		return TooFew
	case newline < 0 && known:
		return HTTP
	}
	return Other
}
