package judge

import (
	"bufio"
	"fmt"
	"strings"
)

// Request is a request with its body.
type Request struct {
	Method, Target string
	Message
}

// ReadRequest reads one request. The error is io.EOF when the connection ended
// before its first byte, ErrPartial when it ended within it, and otherwise what
// the request does against the letter; the request is then what was read of it.
func ReadRequest(r *bufio.Reader) (*Request, error) {
	q := &Request{}
	line, err := readLine(r)
	if err != nil {
		return q, err
	}
	words := strings.Split(line, " ")
	if len(words) != 3 || !isToken(words[0]) || words[1] == "" || !q.version(words[2]) {
		return q, fmt.Errorf("no request line: %q", line)
	}
	q.Method, q.Target = words[0], words[1]
	if err := q.readFields(r); err != nil {
		return q, err
	}
	if hosts := q.Values("Host"); len(hosts) > 1 || len(hosts) == 0 && q.Minor == 1 {
		return q, fmt.Errorf("%d Host fields", len(hosts))
	}
	length, err := q.framing()
	switch {
	case err != nil:
		return q, err
	case q.Chunked:
		return q, q.readChunks(r)
	case q.Sized:
		return q, q.readSized(r, length)
	}
	return q, nil
}
