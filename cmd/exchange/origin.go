package main

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// record is what a scripted server noted about one request or connection.
type record map[string]any

// recorder takes records in the order they happened.
type recorder struct {
	mu      sync.Mutex
	records []record
}

func (r *recorder) note(rec record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records = append(r.records, rec)
}

// set changes a record that was already noted.
func (r *recorder) set(rec record, key string, value any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec[key] = value
}

// copies gives the records as they are now.
func (r *recorder) copies() []record {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]record, len(r.records))
	for i, rec := range r.records {
		out[i] = record{}
		for k, v := range rec {
			out[i][k] = v
		}
	}
	return out
}

// origin is a scripted TCP server. Behaviours are used up in the order
// requests arrive, except that one with "for" waits for its request.
type origin struct {
	name     string
	spec     *originSpec
	vals     *values
	rec      *recorder
	listener net.Listener
	udp      net.PacketConn
	closing  chan struct{}
	fillers  []int // descriptors that keep the queue of a hanging server full

	mu    sync.Mutex
	queue []*behaviour
	conns []net.Conn
}

func newOrigin(name string, spec *originSpec, vals *values, rec *recorder) (*origin, error) {
	if spec == nil {
		spec = &originSpec{}
	}
	o := &origin{name: name, spec: spec, vals: vals, rec: rec, closing: make(chan struct{})}
	port := vals.port(name)
	switch {
	case spec.Hang:
		if err := o.hang(port); err != nil {
			return nil, err
		}
	case spec.Listen == nil || *spec.Listen:
		l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return nil, err
		}
		o.listener = l
		go o.acceptLoop()
	}
	if spec.ICP != "" {
		u, err := net.ListenPacket("udp4", net.JoinHostPort(host, strconv.Itoa(vals.port(name+"_ICP"))))
		if err != nil {
			return nil, err
		}
		o.udp = u
		go o.icpLoop()
	}
	return o, nil
}

// hang opens a listener whose queue is full, so that nobody is ever accepted.
func (o *origin) hang(port int) error {
	addr := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	for i := range 4 {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		o.fillers = append(o.fillers, fd)
		if i > 0 {
			syscall.Connect(fd, addr)
			continue
		}
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		if err := syscall.Bind(fd, addr); err != nil {
			return err
		}
		if err := syscall.Listen(fd, 0); err != nil {
			return err
		}
	}
	return nil
}

func (o *origin) acceptLoop() {
	for n := 1; ; n++ {
		c, err := o.listener.Accept()
		if err != nil {
			return
		}
		o.mu.Lock()
		o.conns = append(o.conns, c)
		o.mu.Unlock()
		go func() {
			defer c.Close()
			if o.spec.FTP != nil {
				o.serveFTP(&wire{conn: c}, n)
				return
			}
			o.serve(&wire{conn: c}, n)
		}()
	}
}

func (o *origin) push(list []*behaviour) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, list...)
}

// next takes the behaviour for a request line, or, on accept, one that acts
// before any request was read.
func (o *origin) next(accept bool, line string) *behaviour {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !accept {
		for i, b := range o.queue {
			if b.For != "" && strings.Contains(line, b.For) {
				o.queue = slices.Delete(o.queue, i, i+1)
				return b
			}
		}
	}
	if len(o.queue) > 0 && o.queue[0].For == "" {
		b := o.queue[0]
		if accept && !b.OnAccept && b.Raw == nil {
			return nil
		}
		o.queue = o.queue[1:]
		return b
	}
	if accept {
		return nil
	}
	return o.spec.Default
}

func (o *origin) serve(w *wire, n int) {
	if b := o.next(true, ""); b != nil {
		if b.Raw != nil {
			o.serveRaw(w, n, b)
			return
		}
		rec := record{"to": o.name, "conn": n, "accepted": true}
		o.rec.note(rec)
		o.act(w, b, rec)
		return
	}
	for {
		if w.until(hasHead, time.Now().Add(20*time.Second)) != "" {
			if len(w.buf) > 0 {
				o.rec.note(record{"to": o.name, "conn": n, "partial": string(w.buf)})
			}
			return
		}
		line, fields := splitHead(w.take(headEnd(w.buf)))
		rec := record{"to": o.name, "conn": n, "line": line, "headers": fields}
		if from, _, _ := net.SplitHostPort(w.conn.RemoteAddr().String()); from != host {
			rec["from"] = from
		}
		o.rec.note(rec)
		b := o.next(false, line)
		if b == nil {
			unscripted := "HTTP/1.0 599 Unscripted\r\nContent-Length: 0\r\n\r\n"
			b = &behaviour{Reply: &unscripted}
			o.rec.set(rec, "unscripted", true)
		}
		if b.ReadBody == nil || *b.ReadBody {
			if b.Continue != "" {
				w.send(toBytes(b.Continue), 10*time.Second)
			}
			o.body(w, fields, rec)
		}
		if !o.act(w, b, rec) {
			return
		}
	}
}

func (o *origin) body(w *wire, fields []string, rec record) {
	deadline := time.Now().Add(5 * time.Second)
	if te, _ := field(fields, "Transfer-Encoding"); strings.Contains(strings.ToLower(te), "chunked") {
		_, raw, problem := readChunked(w, deadline)
		o.rec.set(rec, "body", raw)
		if problem != "" {
			o.rec.set(rec, "body_end", problem)
		}
		return
	}
	if cl, _ := field(fields, "Content-Length"); allDigits.MatchString(cl) {
		n, _ := strconv.Atoi(cl)
		problem := w.until(atLeast(n), deadline)
		o.rec.set(rec, "body", w.take(n))
		if problem != "" {
			o.rec.set(rec, "body_end", problem)
		}
	}
}

// act plays a behaviour; true when the connection stays usable.
func (o *origin) act(w *wire, b *behaviour, rec record) bool {
	parts := b.Parts
	if parts == nil && b.Reply != nil {
		parts = []any{*b.Reply}
	}
	time.Sleep(milliseconds(b.Delay))
	for _, part := range parts {
		if pause, ok := part.(float64); ok {
			for until := time.Now().Add(milliseconds(pause)); time.Now().Before(until); {
				if !w.fill(time.Until(until)) {
					o.rec.set(rec, "proxy_hung_up", true)
					return false
				}
			}
			continue
		}
		if w.send(o.vals.expand(part.(string)), 10*time.Second) != nil {
			o.rec.set(rec, "proxy_hung_up", true)
			return false
		}
	}
	switch b.Then {
	case "keep":
		return true
	case "rst":
		w.reset()
	case "hold":
		hold := 6 * time.Second
		if b.Hold != nil {
			hold = milliseconds(*b.Hold)
		}
		o.watch(w, hold)
		o.rec.set(rec, "proxy_hung_up", w.end != "")
	case "fin":
		w.closeWrite()
		o.watch(w, 3*time.Second)
	}
	return false
}

// watch reads until the other side ends, the time is over or the scenario is.
func (o *origin) watch(w *wire, limit time.Duration) {
	for until := time.Now().Add(limit); w.end == "" && time.Now().Before(until); {
		select {
		case <-o.closing:
			return
		default:
			w.fill(200 * time.Millisecond)
		}
	}
}

func (o *origin) serveRaw(w *wire, n int, b *behaviour) {
	rec := record{"to": o.name, "conn": n, "raw": ""}
	o.rec.note(rec)
	text := ""
	keep := func(got, problem string) {
		text += got
		o.rec.set(rec, "raw", text)
		if problem != "" {
			o.rec.set(rec, "raw_end", problem)
		}
	}
	for _, op := range b.Raw {
		limit := 4 * time.Second
		if op.Timeout != nil {
			limit = milliseconds(*op.Timeout)
		}
		switch {
		case op.Send != nil:
			if w.send(o.vals.expand(*op.Send), 10*time.Second) != nil {
				o.rec.set(rec, "proxy_hung_up", true)
			}
		case op.Recv != nil:
			problem := w.until(atLeast(*op.Recv), time.Now().Add(limit))
			keep(w.take(*op.Recv), problem)
		case op.RecvHead:
			problem := w.until(hasHead, time.Now().Add(4*time.Second))
			keep(w.take(max(0, headEnd(w.buf))), problem)
		case op.RecvEOF:
			problem := w.until(never, time.Now().Add(limit))
			keep(w.take(len(w.buf)), problem)
		case op.Pause != nil:
			time.Sleep(milliseconds(*op.Pause))
		case op.Fin:
			w.closeWrite()
		case op.Rst:
			w.reset()
			return
		}
	}
}

func (o *origin) close() {
	close(o.closing)
	if o.listener != nil {
		o.listener.Close()
	}
	if o.udp != nil {
		o.udp.Close()
	}
	for _, fd := range o.fillers {
		syscall.Close(fd)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.conns {
		c.Close()
	}
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// usedIn says whether a scenario's text speaks of a server, by placeholder or
// as the name of a list of behaviours.
func usedIn(text, name string) bool {
	return regexp.MustCompile(fmt.Sprintf(`\{%s(_PORT|_ICP)?\}|"%s": ?\[`, name, name)).MatchString(text)
}
