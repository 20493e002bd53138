package delays

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// origin serves /n/SIZE/TAG (plain), /c/SIZE/TAG (may be kept) and /e/SIZE/TAG (without
// a length) as fast as the proxy reads, takes uploads, answers CONNECT as a parent does,
// and speaks raw tunnels (DOWN n, UP n TAG) and gopher on the same port.
type origin struct {
	net.Listener
	mu    sync.Mutex
	open  map[net.Conn]bool
	up    map[string]int // octets of uploads, by tag
	asked map[string]int
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &origin{Listener: l, open: map[net.Conn]bool{}, up: map[string]int{}, asked: map[string]int{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.open[c] = true
			o.mu.Unlock()
			serving.Go(func() {
				c.SetDeadline(time.Now().Add(time.Minute))
				o.serve(c, bufio.NewReader(c))
				c.Close()
				o.mu.Lock()
				delete(o.open, c)
				o.mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		o.mu.Lock()
		for c := range o.open {
			c.Close()
		}
		o.mu.Unlock()
		serving.Wait()
	})
	return o
}

func (o *origin) port() string { return strconv.Itoa(o.Addr().(*net.TCPAddr).Port) }

func (o *origin) uploaded(tag string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.up[tag]
}

var block = bytes.Repeat([]byte("0123456789abcdef"), 2048)

// pour writes n octets, until that fails.
func pour(c net.Conn, n int) {
	for n > 0 {
		m, err := c.Write(block[:min(n, len(block))])
		if err != nil {
			return
		}
		n -= m
	}
}

// take reads n octets of an upload.
func (o *origin) take(r io.Reader, n int, tag string) {
	b := make([]byte, 64<<10)
	for n > 0 {
		m, err := r.Read(b[:min(n, len(b))])
		n -= m
		o.mu.Lock()
		o.up[tag] += m
		o.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (o *origin) serve(c net.Conn, r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/") {
			o.serveRaw(c, r, words)
			return
		}
		length := 0
		for {
			field, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if field = strings.TrimSpace(field); field == "" {
				break
			}
			if name, value, _ := strings.Cut(field, ":"); strings.EqualFold(name, "Content-Length") {
				length, _ = strconv.Atoi(strings.TrimSpace(value))
			}
		}
		if words[0] == "CONNECT" {
			io.WriteString(c, "HTTP/1.0 200 Connection established\r\n\r\n")
			continue
		}
		_, path, _ := strings.Cut(strings.TrimPrefix(words[1], "http://"), "/")
		parts := strings.Split(path, "/")
		if len(parts) != 3 {
			return
		}
		tag := parts[2]
		o.mu.Lock()
		o.asked[tag]++
		o.mu.Unlock()
		o.take(r, length, tag)
		size, _ := strconv.Atoi(parts[1])
		head := "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
		if parts[0] != "e" {
			head += fmt.Sprintf("Content-Length: %d\r\n", size)
		}
		if parts[0] == "c" {
			head += "Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\nCache-Control: max-age=3600\r\nLast-Modified: Thu, 02 Jan 2020 03:04:05 GMT\r\n"
		}
		io.WriteString(c, head+"\r\n")
		pour(c, size)
		return
	}
}

// serveRaw answers a line that is no request.
func (o *origin) serveRaw(c net.Conn, r *bufio.Reader, words []string) {
	line := strings.Join(words, " ")
	digits := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return c
		}
		return ' '
	}, line)
	n := 0
	if f := strings.Fields(digits); len(f) > 0 {
		n, _ = strconv.Atoi(f[0])
	}
	if len(words) == 3 && words[0] == "UP" {
		io.WriteString(c, "go\n")
		o.take(r, n, words[2])
		io.WriteString(c, "ok\n")
		return
	}
	pour(c, n)
}
