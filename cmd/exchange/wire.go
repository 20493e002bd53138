package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// wire is a connection with a buffer that remembers how the other side ended it.
type wire struct {
	conn net.Conn
	buf  []byte
	end  string // "", "closed" or "reset"
}

// fill reads once; false says that the connection has ended.
func (w *wire) fill(limit time.Duration) bool {
	if w.end != "" {
		return false
	}
	w.conn.SetReadDeadline(time.Now().Add(max(limit, time.Millisecond)))
	chunk := make([]byte, 65536)
	n, err := w.conn.Read(chunk)
	w.buf = append(w.buf, chunk[:n]...)
	switch {
	case n > 0 || errors.Is(err, os.ErrDeadlineExceeded):
		return true
	case err == io.EOF:
		w.end = "closed"
	default:
		w.end = "reset"
	}
	return false
}

// until reads until the buffer satisfies the condition; "" when it does, else
// "timeout" or how the connection ended.
func (w *wire) until(enough func([]byte) bool, deadline time.Time) string {
	for !enough(w.buf) {
		left := time.Until(deadline)
		if left <= 0 {
			return "timeout"
		}
		if !w.fill(left) {
			return w.end
		}
	}
	return ""
}

func (w *wire) take(n int) string {
	n = min(n, len(w.buf))
	s := string(w.buf[:n])
	w.buf = w.buf[n:]
	return s
}

func (w *wire) send(s string, limit time.Duration) error {
	w.conn.SetWriteDeadline(time.Now().Add(limit))
	_, err := io.WriteString(w.conn, s)
	return err
}

func (w *wire) reset() {
	if tcp, ok := w.conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	w.conn.Close()
}

func (w *wire) closeWrite() error {
	if tcp, ok := w.conn.(*net.TCPConn); ok {
		return tcp.CloseWrite()
	}
	return nil
}

func never([]byte) bool { return false }

func atLeast(n int) func([]byte) bool { return func(b []byte) bool { return len(b) >= n } }

func hasLine(b []byte) bool { return bytes.IndexByte(b, '\n') >= 0 }

func hasHead(b []byte) bool { return headEnd(b) >= 0 }

var blankLine = regexp.MustCompile(`\r?\n\r?\n`)

// headEnd gives the length of a message head with its blank line, or -1.
func headEnd(b []byte) int {
	if m := blankLine.FindIndex(b); m != nil {
		return m[1]
	}
	return -1
}

// splitHead gives the first line and the field lines of a head.
func splitHead(head string) (string, []string) {
	lines := strings.Split(head, "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return "", nil
	}
	return lines[0], lines[1:]
}

// field gives the value of the first field of that name.
func field(lines []string, name string) (string, bool) {
	for _, l := range lines {
		k, v, _ := strings.Cut(l, ":")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

var allDigits = regexp.MustCompile(`^\d+$`)

// readChunked reads a chunked body: what it decodes to, its raw bytes, and what
// went wrong.
func readChunked(w *wire, deadline time.Time) (body, raw, problem string) {
	for {
		if p := w.until(hasLine, deadline); p != "" {
			return body, raw + w.take(len(w.buf)), p
		}
		line := w.take(bytes.IndexByte(w.buf, '\n') + 1)
		raw += line
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 16, 32)
		if err != nil {
			return body, raw, "badchunk"
		}
		if n == 0 {
			break
		}
		p := w.until(atLeast(int(n)+2), deadline)
		body += string(w.buf[:min(int(n), len(w.buf))])
		raw += w.take(int(n) + 2)
		if p != "" {
			return body, raw, p
		}
	}
	for {
		if p := w.until(hasLine, deadline); p != "" {
			return body, raw, p
		}
		line := w.take(bytes.IndexByte(w.buf, '\n') + 1)
		raw += line
		if strings.TrimSpace(line) == "" {
			return body, raw, ""
		}
	}
}
