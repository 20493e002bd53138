package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// response is what a client read of one answer.
type response struct {
	raw      *string // read to the end of the connection, or an exact number of octets
	rawKey   string  // "raw" or "bytes"
	fixed    map[string]any
	status   string
	fields   []string
	body     string
	problem  string
	chunked  bool
	toEOF    bool
	method   string
	expected *reading
}

// read does one "read" operation of a script.
func (p *player) read(w *wire, what any, r *reading, obs map[string]any) {
	add := func(g *response) { obs["got"] = append(obs["got"].([]any), g) }
	switch what := what.(type) {
	case string:
		if what == "eof" {
			add(p.readEOF(w, r.limit))
			return
		}
		for range 20 { // "all": responses until the proxy closes
			g := p.readResponse(w, r.nextMethod(), r)
			if g == nil {
				return
			}
			if add(g); g.problem != "" {
				return
			}
		}
	case float64:
		for range int(what) {
			g := p.readResponse(w, r.nextMethod(), r)
			if g == nil {
				end := "silence"
				if w.end != "" {
					end = w.end
				}
				add(&response{fixed: map[string]any{"nothing": end}})
				return
			}
			if add(g); g.problem != "" {
				return
			}
		}
	case map[string]any:
		if n, ok := what["bytes"].(float64); ok {
			problem := w.until(atLeast(int(n)), time.Now().Add(r.limit))
			text := w.take(int(n))
			add(&response{raw: &text, rawKey: "bytes", problem: problem})
		}
		if n, ok := what["discard"].(float64); ok {
			w.until(atLeast(int(n)), time.Now().Add(r.limit))
			w.buf = nil
			add(&response{fixed: map[string]any{"discarded": n}})
		}
		if ms, ok := what["quiet"].(float64); ok {
			w.until(never, time.Now().Add(milliseconds(ms)))
			add(&response{fixed: map[string]any{"quiet": len(w.buf) == 0 && w.end == ""}})
		}
	}
}

func (p *player) readEOF(w *wire, limit time.Duration) *response {
	problem := w.until(never, time.Now().Add(limit))
	if problem != "timeout" {
		problem = ""
	}
	text := w.take(len(w.buf))
	p.sizes[len(text)] = true
	return &response{raw: &text, rawKey: "raw", problem: problem}
}

var statusCode = regexp.MustCompile(`^HTTP/\d+\.\d+ +(\d+)`)

var digestChallenge = regexp.MustCompile(`(?i)^(proxy|www)-authenticate: *digest`)

// readResponse reads one response with its body; nil when nothing came.
func (p *player) readResponse(w *wire, method string, r *reading) *response {
	deadline := time.Now().Add(r.limit)
	http := []byte("HTTP/")
	problem := w.until(func(b []byte) bool {
		return hasHead(b) || len(b) >= 5 && !bytes.HasPrefix(b, http)
	}, deadline)
	if !bytes.HasPrefix(w.buf, http) || problem != "" && !hasHead(w.buf) {
		if len(w.buf) == 0 {
			return nil
		}
		g := p.readEOF(w, max(100*time.Millisecond, time.Until(deadline)))
		if problem != "" && g.problem == "" && strings.HasPrefix(*g.raw, "HTTP/") {
			g.problem = "truncated head"
		}
		return g
	}
	head := w.take(headEnd(w.buf))
	g := &response{method: method, expected: r}
	g.status, g.fields = splitHead(head)
	code := 0
	if m := statusCode.FindStringSubmatch(g.status); m != nil {
		code, _ = strconv.Atoi(m[1])
	}
	size := len(head) + p.readBody(w, g, code, deadline)
	p.sizes[size] = true
	for _, f := range g.fields {
		if digestChallenge.MatchString(f) {
			p.challenge = f
		}
	}
	return g
}

// readBody reads the body as its framing says and gives its length on the wire.
func (p *player) readBody(w *wire, g *response, code int, deadline time.Time) int {
	te, _ := field(g.fields, "Transfer-Encoding")
	cl, hasLength := field(g.fields, "Content-Length")
	switch {
	case g.method == "HEAD" || code == 204 || code == 304 || code >= 100 && code < 200 || g.method == "CONNECT" && code == 200:
		return 0
	case strings.Contains(strings.ToLower(te), "chunked"):
		body, raw, problem := readChunked(w, deadline)
		g.body, g.chunked = body, true
		if problem != "" {
			g.problem = "body " + problem
		}
		return len(raw)
	case hasLength && allDigits.MatchString(cl):
		want, _ := strconv.Atoi(cl)
		switch w.until(atLeast(want), deadline) {
		case "":
		case "timeout":
			g.problem = "body timeout"
		default:
			g.problem = "body short"
		}
		g.body = w.take(want)
	default:
		problem := w.until(never, deadline)
		g.body, g.toEOF = w.take(len(w.buf)), true
		if problem == "timeout" || problem == "reset" {
			g.problem = "body " + problem
		}
	}
	return len(g.body)
}
