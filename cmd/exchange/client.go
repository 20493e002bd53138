package main

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// connect opens a client connection to a port of the proxy.
func (p *player) connect(s *step) (*wire, error) {
	port := s.Port
	if port == "" {
		port = "PORT"
	}
	dialer := net.Dialer{Timeout: 4 * time.Second, KeepAlive: -1}
	if s.From != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(s.From)}
	}
	c, err := dialer.Dial("tcp4", net.JoinHostPort(host, strconv.Itoa(p.vals.port(port))))
	if err != nil {
		return nil, err
	}
	if s.RcvBuf > 0 {
		c.(*net.TCPConn).SetReadBuffer(s.RcvBuf)
	}
	p.clientPorts = append(p.clientPorts, c.LocalAddr().(*net.TCPAddr).Port)
	return &wire{conn: c}, nil
}

// reading is what a client step knows about the responses it expects.
type reading struct {
	methods []string // per response, then def
	def     string
	limit   time.Duration
	opaque  bool
	markers []string
	url     string // request target to look for in generated bodies, "" for none
}

func (r *reading) nextMethod() string {
	if len(r.methods) == 0 {
		return r.def
	}
	m := r.methods[0]
	r.methods = r.methods[1:]
	return m
}

func (p *player) clientStep(s *step, exp map[string]any) (map[string]any, error) {
	obs := map[string]any{"got": []any{}}
	w := p.conns[s.Conn]
	if w == nil || s.Conn == "" {
		var err error
		if w, err = p.connect(s); err != nil {
			return map[string]any{"got": []any{}, "end": "cannot connect"}, nil
		}
		if s.Conn != "" {
			p.conns[s.Conn] = w
		}
	}
	ops := s.operations()
	r := s.reading(ops, p.vals)
	ended := false
	for _, op := range ops {
		ended = p.operate(w, op, r, obs) || ended
	}
	if ended {
		delete(p.conns, s.Conn)
		return obs, nil
	}
	if s.End == nil || *s.End {
		p.watchEnd(w, obs, exp)
	}
	if s.Conn == "" {
		w.conn.Close()
	}
	return obs, nil
}

// operations gives the "do" list, or the one that send and read stand for.
func (s *step) operations() []operation {
	if s.Do != nil {
		return s.Do
	}
	var ops []operation
	if s.Send != nil {
		ops = append(ops, operation{Send: s.Send})
	}
	read := s.Read
	if read == nil {
		read = float64(1)
	}
	if read != float64(0) {
		ops = append(ops, operation{Read: read})
	}
	return ops
}

var unsafeTarget = regexp.MustCompile(`[?&<>"%@]`)

func (s *step) reading(ops []operation, v *values) *reading {
	r := &reading{methods: s.Methods, def: "GET", limit: orMilliseconds(s.Timeout, 9000), opaque: s.Opaque, markers: s.Markers}
	first := ""
	for _, op := range ops {
		if op.Send != nil {
			first = *op.Send
			break
		}
	}
	switch {
	case first != "":
		r.def, _, _ = strings.Cut(strings.TrimLeft(first, "\r\n"), " ")
	case s.Method != "":
		r.def = s.Method
	}
	line, _, _ := strings.Cut(strings.TrimLeft(v.expand(first), "\r\n"), "\n")
	if words := strings.Split(line, " "); len(words) > 2 && strings.Contains(words[1], "//") && !unsafeTarget.MatchString(words[1]) {
		r.url = words[1]
	}
	return r
}

var digestPlaceholder = regexp.MustCompile(`\{DIGEST:([^}]*)\}`)

// operate does one operation; true when it ended the connection from our side.
func (p *player) operate(w *wire, op operation, r *reading, obs map[string]any) bool {
	switch {
	case op.Send != nil:
		text := digestPlaceholder.ReplaceAllStringFunc(p.vals.expand(*op.Send), func(m string) string {
			return p.digest(digestPlaceholder.FindStringSubmatch(m)[1])
		})
		if w.send(text, 5*time.Second) != nil {
			obs["send_failed"] = true
			break
		}
		p.sent[len(text)] = true
	case op.Pause != nil:
		time.Sleep(milliseconds(*op.Pause))
	case op.Read != nil:
		p.read(w, op.Read, r, obs)
	case op.Fin:
		if w.closeWrite() != nil {
			obs["send_failed"] = true
		}
	case op.Rst:
		w.reset()
		return true
	case op.Close:
		w.conn.Close()
		return true
	}
	return false
}

// watchEnd looks how the connection stands after the step. How long it looks
// depends on what was recorded, so that no time is lost on open connections.
func (p *player) watchEnd(w *wire, obs, exp map[string]any) {
	if w.end == "" {
		limit := 300 * time.Millisecond
		if exp != nil {
			limit = 120 * time.Millisecond
			if exp["end"] == "closed" || exp["end"] == "reset" {
				limit = 2500 * time.Millisecond
			}
		}
		w.until(never, time.Now().Add(limit))
	}
	if len(w.buf) > 0 {
		extra := w.take(len(w.buf))
		obs["extra"] = extra
		for n := range p.sizes {
			p.sizes[n+len(extra)] = true
		}
	}
	obs["end"] = "open"
	if w.end != "" {
		obs["end"] = w.end
	}
}

var challengePart = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^,\s]+))`)

// digest answers the last Digest challenge: user|password|METHOD|uri|flags.
func (p *player) digest(arg string) string {
	parts := append(strings.Split(arg, "|"), "")
	if len(parts) < 5 {
		return ""
	}
	user, password, method, uri, flags := parts[0], parts[1], parts[2], parts[3], parts[4]
	ch := map[string]string{"nonce": "x"}
	for _, m := range challengePart.FindAllStringSubmatch(p.challenge, -1) {
		ch[strings.ToLower(m[1])] = m[2] + m[3]
	}
	nonce, count, cnonce := ch["nonce"], "00000001", "0a4f113b"
	if strings.Contains(flags, "stale") {
		nonce = strings.Repeat("0", len(nonce))
	}
	if strings.Contains(flags, "nc2") {
		count = "00000002"
	}
	hash := func(words ...string) string {
		sum := md5.Sum([]byte(strings.Join(words, ":")))
		return hex.EncodeToString(sum[:])
	}
	ha1, ha2 := hash(user, ch["realm"], password), hash(method, uri)
	response, tail := hash(ha1, nonce, ha2), ""
	if !strings.Contains(flags, "noqop") {
		response = hash(ha1, nonce, count, cnonce, "auth", ha2)
		tail = fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s"`, count, cnonce)
	}
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"%s`, user, ch["realm"], nonce, uri, response, tail)
}
