package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// origin answers /small with 1 KB, /once with 1 KB and the end, /bulk/N with N megabytes, on kept
// connections, /object/N/WHO/NAME with N octets that may be kept for an hour (counted by WHO), /unkept/N/WHO/NAME
// with N that nobody may store, and streams N megabytes to a tunnel that asks with "N\n".
type origin struct {
	http, tunnel net.Listener
	// asked counts the requests for objects, by what stands in front of the name.
	asked sync.Map // string to *atomic.Int64
}

const smallSize = 1024

// What the paths of objects begin with.
const keptObject, unkeptObject = "/object", "/unkept"

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
	go accept(o.http, o.serveHTTP)
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

func (o *origin) serveHTTP(c net.Conn) {
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
		} else if path, control, ok := object(request); ok {
			n, rest, _ := bytes.Cut(path, []byte("/"))
			who, _, _ := bytes.Cut(rest, []byte("/"))
			o.counter(string(who)).Add(1)
			size, _ := strconv.Atoi(string(n))
			head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: %s\r\nServer: bench\r\nContent-Type: text/plain\r\n"+
				"Cache-Control: %s\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n", time.Now().UTC().Format(http.TimeFormat), control, size)
			if _, err := c.Write(append(head, bulkChunk[:min(size, len(bulkChunk))]...)); err != nil {
				return
			}
		} else if bytes.HasPrefix(request, []byte("GET /once ")) {
			c.Write(bytes.Replace(small, []byte("Connection: keep-alive"), []byte("Connection: close"), 1))
			return
		} else if _, err := c.Write(small); err != nil {
			return
		}
		have = copy(buf, buf[end+4:have])
	}
}

// object tells what follows the beginning of an object's path, and its Cache-Control.
func object(request []byte) (path []byte, control string, ok bool) {
	if path, ok = bytes.CutPrefix(request, []byte("GET "+keptObject+"/")); ok {
		return path, "max-age=3600", true
	}
	path, ok = bytes.CutPrefix(request, []byte("GET "+unkeptObject+"/"))
	return path, "no-store", ok
}

func (o *origin) counter(who string) *atomic.Int64 {
	n, _ := o.asked.LoadOrStore(who, new(atomic.Int64))
	return n.(*atomic.Int64)
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
