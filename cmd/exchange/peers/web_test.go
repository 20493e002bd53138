package peers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// listen serves HTTP as the neighbour or origin of that name.
func (p *play) listen(name, addr string, port int) {
	l, err := net.Listen("tcp4", net.JoinHostPort(addr, strconv.Itoa(port)))
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.listeners[name] = l
	p.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c, name)
		}
	}()
}

// serve answers one request: what the first part of the path says, in letters each
// with a number, joined by "-".
func (p *play) serve(c net.Conn, name string) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(c)
	line, fields := "", []string{}
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return
		}
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			break
		}
		if line == "" {
			line = text
			continue
		}
		fields = append(fields, text)
		if via, ok := strings.CutPrefix(text, "Via: "); ok {
			p.mu.Lock()
			p.via = via
			p.mu.Unlock()
		}
		if n, ok := strings.CutPrefix(strings.ToLower(text), "content-length: "); ok {
			length, _ := strconv.ParseInt(n, 10, 64)
			defer io.CopyN(io.Discard, in, length)
		}
	}
	url := strings.Split(line+" ", " ")[1]
	path := url
	if rest, ok := strings.CutPrefix(url, "http://"); ok && strings.Contains(rest, "/") {
		path = rest[strings.Index(rest, "/"):]
	}
	own := strings.Contains(path, "/squid-internal-")
	n, r := p.web(name, line)
	if background := n.Background; !own && (background == "" || !strings.Contains(url, background)) {
		p.note(func(s *seen) { s.Asked = append(s.Asked, name+" "+line) })
	}
	words := ""
	if first, _, deeper := strings.Cut(path[1:], "/"); deeper {
		words = first
	}
	if r != nil && r.Words != "" {
		words = r.Words
	}
	if r != nil && r.Raw != "" {
		io.WriteString(c, r.Raw)
		return
	}
	io.WriteString(c, reply(name, path, line, words, strings.Join(fields, "\n"), n.Digest, own))
}

// web is a neighbour as it is now, with its rule for a request.
func (p *play) web(name, line string) (neighbour, *rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.s.Peers[name]
	if n == nil {
		return neighbour{}, nil
	}
	return *n, n.HTTP.of(line)
}

var word = regexp.MustCompile(`^([a-z])(\d*)$`)

func reply(name, path, line, words, fields string, d *digestSpec, own bool) string {
	opt := map[string]string{}
	for w := range strings.SplitSeq(words, "-") {
		if m := word.FindStringSubmatch(w); m != nil {
			opt[m[1]] = m[2]
		}
	}
	has := func(letter string) bool { _, ok := opt[letter]; return ok }
	value := func(letter string) int { n, _ := strconv.Atoi(opt[letter]); return n }
	time.Sleep(time.Duration(value("d")) * time.Millisecond)
	status, body, kind := 200, fmt.Sprintf("%s %s\n", name, path), "text/plain"
	body += strings.Repeat(".", max(0, value("b")-len(body)))
	switch {
	case strings.HasPrefix(path, "/squid-internal-periodic/store_digest") && d != nil:
		if d.Close {
			return ""
		}
		status, body, kind = whole(d.Status, 200), string(d.bytes()), "application/cache-digest"
	case own:
		status = 404
	case has("s"):
		status = value("s")
	case has("x"):
		return ""
	}
	if has("i") && strings.Contains(strings.ToLower(fields), "if-modified-since") {
		status = 304
	}
	now := time.Now()
	date := func(seconds int) string {
		return now.Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
	}
	head := fmt.Sprintf("HTTP/1.0 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n", status, http.StatusText(status), date(0), kind)
	if status != 304 {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	switch {
	case has("n"):
		head += "Cache-Control: no-store\r\n"
	case has("p"):
		head += "Cache-Control: private\r\n"
	case has("m"):
		head += "Cache-Control: max-age=" + opt["m"] + "\r\n"
	case has("e"):
		head += "Expires: " + date(value("e")) + "\r\n"
	case !own && !has("z"):
		head += "Cache-Control: max-age=3600\r\n"
	}
	if has("l") {
		head += "Last-Modified: " + date(-value("l")) + "\r\n"
	}
	if has("v") {
		head += "Vary: Accept-Language\r\n"
	}
	head += "Connection: close\r\n\r\n"
	if strings.HasPrefix(line, "HEAD ") || status == 304 {
		body = ""
	}
	return head + body
}
