package judge

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrPartial says that the connection ended within a message.
var ErrPartial = errors.New("the connection ended within a message")

// Field is one field line: the name as received, the value without the blanks
// around it.
type Field struct{ Name, Value string }

// Message is what requests and replies have in common.
type Message struct {
	// Major and Minor are the version.
	Major, Minor int
	Fields       []Field
	// Body is what is left once the framing is taken off.
	Body []byte
	// Chunked, Sized: how the body was framed. Neither: there was none, or it
	// went on until the connection closed.
	Chunked, Sized bool
}

// Values are the values of all fields of that name, in any case.
func (m *Message) Values(name string) (values []string) {
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Closes reports whether the sender of the message closes the connection behind
// it (RFC 9112 section 9.3).
func (m *Message) Closes() bool {
	persists := m.Major == 1 && m.Minor == 1
	for _, name := range []string{"Connection", "Proxy-Connection"} {
		for _, v := range m.Values(name) {
			for _, option := range strings.Split(v, ",") {
				switch strings.ToLower(strings.Trim(option, " \t")) {
				case "close":
					return true
				case "keep-alive":
					persists = true
				}
			}
		}
	}
	return !persists
}

// readLine reads a line that ends with CR LF and has no other CR, LF or NUL.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull {
		if len(line) > 0 {
			err = ErrPartial
		}
		return "", err
	}
	text := string(line)
	for err == bufio.ErrBufferFull {
		line, err = r.ReadSlice('\n')
		text += string(line)
	}
	if err != nil {
		return "", ErrPartial
	}
	text, ok := strings.CutSuffix(text, "\r\n")
	if !ok {
		return "", fmt.Errorf("a line ends with a bare LF: %q", text)
	}
	if strings.ContainsAny(text, "\r\x00") {
		return "", fmt.Errorf("CR or NUL within a line: %q", text)
	}
	return text, nil
}

// readFields reads field lines up to the empty line.
func (m *Message) readFields(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		switch {
		case err == io.EOF:
			return ErrPartial
		case err != nil:
			return err
		case line == "":
			return nil
		}
		name, value, found := strings.Cut(line, ":")
		if !found || !isToken(name) {
			return fmt.Errorf("no field line: %q", line)
		}
		m.Fields = append(m.Fields, Field{name, strings.Trim(value, " \t")})
	}
}

// framing reads the fields that say where the body ends. length is -1 when
// there is no Content-Length.
func (m *Message) framing() (length int64, err error) {
	length = -1
	lengths, codings := m.Values("Content-Length"), m.Values("Transfer-Encoding")
	switch {
	case len(lengths) > 1, len(codings) > 1, len(lengths) > 0 && len(codings) > 0:
		return 0, fmt.Errorf("framed in two ways: lengths %q, codings %q", lengths, codings)
	case len(codings) == 1 && (codings[0] != "chunked" || m.Minor < 1):
		return 0, fmt.Errorf("transfer coding %q in HTTP/1.%d", codings[0], m.Minor)
	case len(lengths) == 1:
		if strings.Trim(lengths[0], "0123456789") != "" {
			return 0, fmt.Errorf("Content-Length %q", lengths[0])
		}
		if length, err = strconv.ParseInt(lengths[0], 10, 64); err != nil {
			return 0, err
		}
	}
	m.Chunked, m.Sized = len(codings) == 1, length >= 0
	return length, nil
}

// readSized reads a body of known length.
func (m *Message) readSized(r *bufio.Reader, length int64) error {
	var b bytes.Buffer
	_, err := io.CopyN(&b, r, length)
	m.Body = b.Bytes()
	if err == io.EOF {
		return ErrPartial
	}
	return err
}

// readChunks reads a chunked body without extensions or trailer: the proxy
// drops both.
func (m *Message) readChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err == io.EOF {
			return ErrPartial
		}
		if err != nil {
			return err
		}
		if strings.Trim(line, "0123456789abcdefABCDEF") != "" {
			return fmt.Errorf("chunk size %q", line)
		}
		size, err := strconv.ParseInt(line, 16, 64)
		if err != nil {
			return fmt.Errorf("chunk size %q", line)
		}
		var b bytes.Buffer
		if _, err := io.CopyN(&b, r, size); err != nil {
			m.Body = append(m.Body, b.Bytes()...)
			return ErrPartial
		}
		m.Body = append(m.Body, b.Bytes()...)
		end, err := readLine(r)
		switch {
		case err == io.EOF:
			return ErrPartial
		case err != nil:
			return err
		case end != "":
			return fmt.Errorf("%q behind a chunk of %d bytes", end, size)
		case size == 0:
			return nil
		}
	}
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// version reads "HTTP/1.0" or "HTTP/1.1".
func (m *Message) version(s string) bool {
	m.Major, m.Minor = 1, 0
	if s == "HTTP/1.1" {
		m.Minor = 1
	}
	return s == "HTTP/1.0" || s == "HTTP/1.1"
}
