package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// client is one kept connection to a proxy.
type client struct {
	conn    net.Conn
	buf     []byte
	request func() []byte // the next one
}

// requestFor is the request of a browser for a path of the origin.
func requestFor(r *running, path string) []byte {
	keep := "Connection"
	if r.forward {
		keep = "Proxy-Connection"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"+
		"Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\n%s: keep-alive\r\n\r\n", r.target(path), r.origin, keep)
}

// newClient connects to a proxy; one with a fixed path asks for it every time.
func newClient(r *running, path string) (*client, error) {
	request := requestFor(r, path)
	return newClientAsking(r, func() []byte { return request })
}

func newClientAsking(r *running, next func() []byte) (*client, error) {
	conn, err := net.Dial("tcp4", r.address())
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, buf: make([]byte, 64<<10), request: next}, nil
}

// redial takes a new connection in the place of the old one.
func (c *client) redial(r *running) (err error) {
	c.conn.Close()
	c.conn, err = net.Dial("tcp4", r.address())
	return err
}

// fetch sends the request and reads the response to its last octet.
func (c *client) fetch() (int, error) {
	if _, err := c.conn.Write(c.request()); err != nil {
		return 0, err
	}
	have := 0
	for {
		n, err := c.conn.Read(c.buf[have:])
		if err != nil {
			return 0, err
		}
		have += n
		end := bytes.Index(c.buf[:have], []byte("\r\n\r\n"))
		if end < 0 {
			continue
		}
		if !bytes.HasPrefix(c.buf[9:], []byte("200 ")) {
			return 0, fmt.Errorf("answer %q", bytes.SplitN(c.buf[:have], []byte("\r\n"), 2)[0])
		}
		length, err := contentLength(c.buf[:end])
		if err != nil {
			return 0, err
		}
		return length, c.rest(int64(end + 4 + length - have))
	}
}

func (c *client) rest(n int64) error {
	for n > 0 {
		m, err := c.conn.Read(c.buf)
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

func contentLength(head []byte) (int, error) {
	i := bytes.Index(bytes.ToLower(head), []byte("\ncontent-length:"))
	if i < 0 {
		return 0, errors.New("answer without length")
	}
	value, _, _ := bytes.Cut(head[i+len("\ncontent-length:"):], []byte("\r"))
	return strconv.Atoi(string(bytes.TrimSpace(value)))
}

// outcome is what one measurement gave.
type outcome struct {
	requests int64
	bytes    int64
	cpu      time.Duration
	elapsed  time.Duration
	err      error
}

// crowd is the clients of a small-request measurement at one proxy.
type crowd struct {
	r       *running
	name    string // of its row
	clients []*client
	// fresh has each request come on a new connection and go to the origin on
	// another.
	fresh bool
	// visit, where there is one, is what is done in the place of a request.
	visit func() error
}

func newCrowd(r *running, concurrency int, fresh bool) (*crowd, error) {
	g := &crowd{r: r, name: r.name, fresh: fresh}
	path := "/small"
	if fresh {
		path = "/once"
	}
	request := requestFor(r, path)
	return g.gather(concurrency, func() func() []byte { return func() []byte { return request } })
}

// gather connects the clients; each asks for what a function of its own gives.
func (g *crowd) gather(concurrency int, asks func() func() []byte) (*crowd, error) {
	for range concurrency {
		c, err := newClientAsking(g.r, asks())
		if err != nil {
			return nil, err
		}
		g.clients = append(g.clients, c)
	}
	return g, nil
}

// load lets every client fetch again and again for a while, and once at least.
func (g *crowd) load(span time.Duration) outcome {
	var count atomic.Int64
	var wait sync.WaitGroup
	var failed atomic.Pointer[error]
	cpu, began := g.r.processorTime(), time.Now()
	for _, c := range g.clients {
		wait.Go(func() {
			for first := true; first || time.Since(began) < span; first = false {
				if err := g.turn(c); err != nil {
					failed.Store(&err)
					return
				}
				count.Add(1)
			}
		})
	}
	wait.Wait()
	o := outcome{requests: count.Load(), elapsed: time.Since(began), cpu: g.r.processorTime() - cpu}
	if e := failed.Load(); e != nil {
		o.err = *e
	}
	return o
}

// turn is one request, or what takes its place.
func (g *crowd) turn(c *client) error {
	if g.visit != nil {
		return g.visit()
	}
	_, err := c.fetch()
	if err == nil && g.fresh {
		err = c.redial(g.r)
	}
	return err
}

// bulk measures a few streams of large bodies.
func bulk(r *running, streams, megabytes, each int) outcome {
	return stream(r, streams, func() (int64, error) {
		c, err := newClient(r, fmt.Sprintf("/bulk/%d", megabytes))
		if err != nil {
			return 0, err
		}
		defer c.conn.Close()
		var total int64
		for range each {
			n, err := c.fetch()
			if err != nil {
				return total, err
			}
			total += int64(n)
		}
		return total, nil
	})
}

// connect measures a few tunnels full of bytes.
func connect(r *running, streams, megabytes int) outcome {
	return stream(r, streams, func() (int64, error) {
		address := r.address()
		if !r.forward {
			address = fmt.Sprintf("127.0.0.1:%d", r.tcp)
		}
		conn, err := net.Dial("tcp4", address)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		if r.forward {
			fmt.Fprintf(conn, "CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n", r.tunnel)
			head := make([]byte, 0, 256)
			for one := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, one[0]) {
				if _, err := conn.Read(one); err != nil {
					return 0, err
				}
			}
			if !bytes.Contains(head[:min(16, len(head))], []byte(" 200 ")) {
				return 0, fmt.Errorf("answer %q", head)
			}
		}
		fmt.Fprintf(conn, "%d\n", megabytes)
		n, err := io.CopyBuffer(discard{}, conn, make([]byte, 256<<10))
		if err == nil && n != int64(megabytes)<<20 {
			err = fmt.Errorf("%d octets came, not %d", n, int64(megabytes)<<20)
		}
		return n, err
	})
}

// discard takes octets without the help of the kernel's shortcuts.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func stream(r *running, streams int, one func() (int64, error)) outcome {
	var total atomic.Int64
	var wait sync.WaitGroup
	var failed atomic.Pointer[error]
	cpu, began := r.processorTime(), time.Now()
	for range streams {
		wait.Go(func() {
			n, err := one()
			total.Add(n)
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	wait.Wait()
	time.Sleep(50 * time.Millisecond)
	o := outcome{bytes: total.Load(), cpu: r.processorTime() - cpu, elapsed: time.Since(began)}
	if e := failed.Load(); e != nil {
		o.err = *e
	}
	return o
}

// idle opens connections that do one request each and then wait, and gives the
// resident memory each of them added.
func idle(r *running, connections int, wait time.Duration) (perConnection float64, err error) {
	warm, err := newClient(r, "/small")
	if err != nil {
		return 0, err
	}
	for range 200 {
		if _, err := warm.fetch(); err != nil {
			return 0, err
		}
	}
	before := resident(r.cmd.Process.Pid)
	clients := make([]*client, connections)
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.conn.Close()
			}
		}
	}()
	for i := range clients {
		if clients[i], err = newClient(r, "/small"); err != nil {
			return 0, err
		}
		if _, err = clients[i].fetch(); err != nil {
			return 0, err
		}
		clients[i].buf = nil
	}
	time.Sleep(wait)
	return float64(resident(r.cmd.Process.Pid)-before) / float64(connections), nil
}
