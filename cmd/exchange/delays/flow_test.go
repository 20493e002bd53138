package delays

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// flow is one client, and what it saw.
type flow struct {
	ID, From, URL, Sort, Object, Port, Kind string
	At                                      float64
	Size, Reply                             int
	Headers                                 []string
	Status                                  string
	Silent                                  bool
	CountRequests                           bool `json:"count_requests"`

	octets []int // in each interval
	total  int
	status string
}

// interval is how finely octets over time are counted.
const interval = 100 * time.Millisecond

// object is the name of what is asked for.
func (f *flow) object() string {
	if f.Object != "" {
		return f.Object
	}
	return f.ID
}

func (f *flow) count(p *play, n int) {
	if at := int(time.Since(p.began) / interval); at < len(f.octets) {
		f.octets[at] += n
	}
	f.total += n
}

// run does what the client does, until the scenario is over.
func (f *flow) run(p *play) {
	time.Sleep(time.Until(p.began.Add(seconds(f.At))))
	from := f.From
	if from == "" {
		from = "127.0.0.1"
	}
	port := f.Port
	if port == "" {
		port = "PORT"
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp4", "127.0.0.1:"+p.expand("{"+port+"}"))
	if err != nil {
		f.status = err.Error()
		return
	}
	defer c.Close()
	end := p.began.Add(seconds(p.s.Length))
	c.SetDeadline(end)
	switch f.Kind {
	case "", "get":
		url := f.URL
		if url == "" {
			sort := f.Sort
			if sort == "" {
				sort = "n"
			}
			url = fmt.Sprintf("http://{ORIGIN}/%s/%d/%s", sort, f.Size, f.object())
		}
		f.ask(p, c, "GET "+url, "")
		f.read(p, c, bufio.NewReader(c), true)
	case "post", "put":
		f.ask(p, c, fmt.Sprintf("%s http://{ORIGIN}/n/%d/%s", strings.ToUpper(f.Kind), f.Reply, f.ID), fmt.Sprintf("Content-Length: %d\r\n", f.Size))
		f.upload(p, c, bufio.NewReader(c))
	case "connect", "connect-up":
		f.ask(p, c, "CONNECT {ORIGIN}", "")
		r := bufio.NewReader(c)
		if f.readHead(r); f.status != "200" {
			return
		}
		if f.Kind == "connect" {
			fmt.Fprintf(c, "DOWN %d %s\n", f.Size, f.ID)
			f.read(p, c, r, false)
			return
		}
		fmt.Fprintf(c, "UP %d %s\n", f.Size, f.ID)
		if line, _ := r.ReadString('\n'); line == "go\n" {
			f.upload(p, c, nil)
		}
	}
}

func (f *flow) ask(p *play, c net.Conn, line, fields string) {
	for _, h := range f.Headers {
		fields += h + "\r\n"
	}
	io.WriteString(c, p.expand(line)+" HTTP/1.0\r\n"+p.expand(fields)+"\r\n")
}

// readHead reads the head of a reply.
func (f *flow) readHead(r *bufio.Reader) {
	line, _ := r.ReadString('\n')
	if w := strings.Fields(line); len(w) > 1 {
		f.status = w[1]
	}
	for line != "" && strings.TrimSpace(line) != "" {
		line, _ = r.ReadString('\n')
	}
}

// read counts what comes, heads too, until the connection ends or all of a tunnel is
// there.
func (f *flow) read(p *play, c net.Conn, r *bufio.Reader, head bool) {
	b, first := make([]byte, 256<<10), ""
	for {
		n, err := r.Read(b)
		f.count(p, n)
		if head && f.status == "" {
			first += string(b[:min(n, 20)])
			if w := strings.Fields(first); len(w) > 2 {
				f.status = w[1]
			}
		}
		if err != nil || !head && f.total >= f.Size {
			return
		}
	}
}

// upload sends a body, and counts what has come to the origin.
func (f *flow) upload(p *play, c net.Conn, reply *bufio.Reader) {
	go pour(c, f.Size)
	for end := p.began.Add(seconds(p.s.Length)); f.total < f.Size && time.Now().Before(end); time.Sleep(interval / 4) {
		f.count(p, p.origin.uploaded(f.ID)-f.total)
	}
	if reply != nil {
		f.readHead(reply)
	}
}
