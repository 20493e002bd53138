package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
)

// origin answers /small with 1 KB, /once with 1 KB and the end, /bulk/N with N megabytes, on kept
// connections, and streams N megabytes to a tunnel that asks with "N\n".
type origin struct {
	http, tunnel net.Listener
}

const smallSize = 1024

// bulkChunk is what bulk bodies are written in.
var bulkChunk = bytes.Repeat([]byte("0123456789abcdef"), 16<<10)

func newOrigin() (*origin, error) {
	o := &origin{}
	var err error
	if o.http, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if o.tunnel, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go accept(o.http, serveHTTP)
	go accept(o.tunnel, serveTunnel)
	return o, nil
}

func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

func serveHTTP(c net.Conn) {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 04:00:00 GMT\r\nServer: bench\r\nContent-Type: text/plain\r\n"+
		"Cache-Control: no-store\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n", smallSize)
	small := append([]byte(head), bulkChunk[:smallSize]...)
	buf, have := make([]byte, 8192), 0
	for {
		n, err := c.Read(buf[have:])
		if err != nil {
			return
		}
		have += n
		end := bytes.Index(buf[:have], []byte("\r\n\r\n"))
		if end < 0 {
			continue
		}
		request := buf[:end]
		if path, ok := bytes.CutPrefix(request, []byte("GET /bulk/")); ok {
			n, _, _ := bytes.Cut(path, []byte(" "))
			megabytes, _ := strconv.Atoi(string(n))
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n", megabytes<<20)
			pour(c, megabytes)
		} else if bytes.HasPrefix(request, []byte("GET /once ")) {
			c.Write(bytes.Replace(small, []byte("Connection: keep-alive"), []byte("Connection: close"), 1))
			return
		} else if _, err := c.Write(small); err != nil {
			return
		}
		have = copy(buf, buf[end+4:have])
	}
}

func serveTunnel(c net.Conn) {
	var megabytes int
	if _, err := fmt.Fscanf(c, "%d\n", &megabytes); err == nil {
		pour(c, megabytes)
	}
}

func pour(w io.Writer, megabytes int) {
	for range megabytes << 20 / len(bulkChunk) {
		if _, err := w.Write(bulkChunk); err != nil {
			return
		}
	}
}
