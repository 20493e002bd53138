package judge

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Reply is a reply with its body.
type Reply struct {
	Status int
	Reason string
	Message
}

// ReadReply reads one reply to a request of that method; a 1xx is one of its
// own. Errors are those of ReadRequest. A body that goes on until the connection
// closes is read to its end.
func ReadReply(r *bufio.Reader, method string) (*Reply, error) {
	p := &Reply{}
	line, err := readLine(r)
	if err != nil {
		return p, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, reason, found := strings.Cut(rest, " ")
	if !p.version(version) || !found || len(code) != 3 || strings.Trim(code, "0123456789") != "" || code[0] == '0' {
		return p, fmt.Errorf("no status line: %q", line)
	}
	fmt.Sscan(code, &p.Status)
	p.Reason = reason
	if err := p.readFields(r); err != nil {
		return p, err
	}
	length, err := p.framing()
	switch {
	case err != nil:
		return p, err
	case p.Status < 200 && (p.Chunked || p.Sized):
		return p, fmt.Errorf("a body in a %d", p.Status)
	case method == "HEAD", p.Status < 200, p.Status == 204, p.Status == 304:
		return p, nil
	case p.Chunked:
		return p, p.readChunks(r)
	case p.Sized:
		return p, p.readSized(r, length)
	}
	if !p.Closes() {
		return p, fmt.Errorf("a body without an end on a kept connection")
	}
	var b bytes.Buffer
	_, err = io.Copy(&b, r)
	p.Body = b.Bytes()
	return p, err
}
