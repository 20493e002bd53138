package main

import (
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// smallBody is the length up to which bodies are compared as text.
const smallBody = 1500

func (p *player) mask(s string) string { return p.vals.mask(s, p.clientPorts) }

// observation puts everything seen into the masked form of recordings.
func (p *player) observation(steps []map[string]any, texts map[string]*string) map[string]any {
	outSteps := []any{}
	for _, s := range steps {
		if got, ok := s["got"].([]any); ok {
			masked := []any{}
			for _, g := range got {
				masked = append(masked, p.maskResponse(g.(*response)))
			}
			s["got"] = masked
		}
		if extra, ok := s["extra"].(string); ok {
			s["extra"] = p.maskRaw(extra)
		}
		outSteps = append(outSteps, s)
	}
	outOrigin := []any{}
	for _, r := range p.rec.copies() {
		outOrigin = append(outOrigin, p.maskRecord(r))
	}
	logs := map[string]any{}
	for name, text := range texts {
		if text == nil {
			if name != "access.log" || p.sc.KeepLogs {
				logs[name] = nil
			}
			continue
		}
		lines := []any{}
		for _, l := range strings.Split(*text, "\n") {
			if l != "" {
				lines = append(lines, p.maskLogLine(l))
			}
		}
		logs[name] = lines
	}
	out := map[string]any{"steps": outSteps, "origin": outOrigin, "logs": logs}
	if p.sc.Stop {
		out["exit"] = p.exit
	}
	return out
}

func (p *player) maskResponse(g *response) map[string]any {
	out := map[string]any{}
	for k, v := range g.fixed {
		out[k] = v
	}
	if g.problem != "" {
		out["problem"] = g.problem
	}
	switch {
	case g.fixed != nil:
		return out
	case g.raw != nil:
		out[g.rawKey] = p.maskRaw(*g.raw)
		return out
	}
	_, isError := field(g.fields, "X-Squid-Error")
	hide := isError && !p.sc.Custom || g.expected.opaque
	out["status"] = g.status
	out["headers"] = p.maskFields(g.fields, isError || hide)
	if g.expected.opaque {
		for i, f := range out["headers"].([]any) {
			out["headers"].([]any)[i] = lastModified.ReplaceAllString(f.(string), "${1}{SOMEDATE}")
		}
	}
	if g.chunked {
		out["chunked"] = true
	}
	if g.toEOF {
		out["to_eof"] = true
	}
	if hide {
		out["generated"] = p.generated(g)
		return out
	}
	body := g.body
	if isError {
		for _, m := range p.sc.ErrorMask {
			body = substitute(m, body)
		}
	}
	out["body"] = p.bodyView(body)
	return out
}

var lastModified = regexp.MustCompile(`(?i)^(last-modified: ).*`)

// generated states facts about a page the proxy made itself.
func (p *player) generated(g *response) map[string]any {
	facts := map[string]any{"has_body": g.body != ""}
	if cl, ok := field(g.fields, "Content-Length"); ok && g.method != "HEAD" {
		facts["length_ok"] = cl == strconv.Itoa(len(g.body))
	}
	marks := map[string]any{}
	for _, m := range g.expected.markers {
		marks[toBytes(m)] = strings.Contains(g.body, p.vals.expand(m))
	}
	if g.expected.url != "" {
		marks["(request target)"] = strings.Contains(g.body, g.expected.url)
	}
	facts["markers"] = marks
	return facts
}

func (p *player) bodyView(body string) any {
	masked := p.mask(body)
	if len(masked) <= smallBody {
		return masked
	}
	return p.digestOf(body, masked)
}

func (p *player) digestOf(body, masked string) map[string]any {
	sum := sha1.Sum([]byte(masked))
	return map[string]any{"len": float64(len(body)), "sha1": hex.EncodeToString(sum[:])}
}

var generatedPage = regexp.MustCompile(`<!DOCTYPE|<HTML>|<html>`)

// maskRaw masks octets that were not read as a response.
func (p *player) maskRaw(s string) any {
	head, body, split := strings.Cut(s, "\r\n\r\n")
	if generatedPage.MatchString(s) {
		if strings.HasPrefix(head, "HTTP/") {
			line, fields := splitHead(head)
			return map[string]any{"head": append([]any{line}, p.maskFields(fields, true)...), "generated_html": true}
		}
		return map[string]any{"generated_html": true}
	}
	if len(s) > smallBody {
		return p.digestOf(s, p.mask(s))
	}
	if strings.HasPrefix(s, "HTTP/") {
		line, fields := splitHead(head)
		out := line
		for _, f := range fields {
			out += "\r\n" + p.maskField(f, false)
		}
		if split {
			out += "\r\n\r\n"
		}
		return out + p.mask(body)
	}
	return p.mask(s)
}

func (p *player) maskFields(fields []string, generated bool) []any {
	out := []any{}
	for _, f := range fields {
		out = append(out, p.maskField(f, generated))
	}
	return out
}

var (
	viaProduct  = regexp.MustCompile(`\(([A-Za-z][\w-]*)/[\w.\-]+\)`)
	anyProduct  = regexp.MustCompile(`[A-Za-z][\w-]*/[\w.\-]+`)
	anyNonce    = regexp.MustCompile(`nonce="[^"]*"`)
	anyBoundary = regexp.MustCompile(`boundary="?[^";]*"?`)
	httpDate    = regexp.MustCompile(`^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$`)
)

// maskField masks what cannot repeat in a header field.
func (p *player) maskField(f string, generated bool) string {
	name, value, found := strings.Cut(f, ":")
	if !found {
		return p.mask(f)
	}
	trimmed := strings.TrimSpace(value)
	lead := value[:len(value)-len(strings.TrimLeft(value, " \t\r\n\v\f"))]
	switch kind := strings.ToLower(strings.TrimSpace(name)); kind {
	case "date", "expires", "last-modified", "if-modified-since", "retry-after", "if-unmodified-since", "if-range":
		if off, ok := p.dateOffset(trimmed); ok {
			return name + ":" + lead + off
		}
	case "age":
		if allDigits.MatchString(trimmed) {
			return name + ":" + lead + "{AGE:" + trimmed + "}"
		}
	case "content-length":
		if generated {
			return name + ":" + lead + "{LEN}"
		}
	case "content-type":
		value = anyBoundary.ReplaceAllString(value, `boundary="{BOUNDARY}"`)
	case "via":
		value = viaProduct.ReplaceAllString(value, "(squid/{VERSION})")
	case "server":
		if generated || strings.HasPrefix(trimmed, "squid/") {
			value = anyProduct.ReplaceAllString(value, "squid/{VERSION}")
		}
	case "proxy-authenticate", "www-authenticate", "authentication-info", "proxy-authentication-info":
		value = anyNonce.ReplaceAllString(value, `nonce="{NONCE}"`)
	}
	return p.mask(name + ":" + value)
}

var months = map[string]time.Month{"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12}

// dateOffset writes a date near the scenario's start as its distance from it.
func (p *player) dateOffset(s string) (string, bool) {
	m := httpDate.FindStringSubmatch(s)
	if m == nil || months[m[2]] == 0 {
		return "", false
	}
	n := make([]int, len(m))
	for _, i := range []int{1, 3, 4, 5, 6} {
		n[i], _ = strconv.Atoi(m[i])
	}
	at := time.Date(n[3], months[m[2]], n[1], n[4], n[5], n[6], 0, time.UTC)
	off := at.Unix() - p.vals.start.Unix()
	if max(off, -off) >= 500*86400 {
		return "", false
	}
	return "{DATE:" + signed(off) + "}", true
}

func signed(n int64) string {
	if n < 0 {
		return strconv.FormatInt(n, 10)
	}
	return "+" + strconv.FormatInt(n, 10)
}

var (
	ftpPort     = regexp.MustCompile(`^PORT (\d+,\d+,\d+,\d+),\d+,\d+`)
	ftpEPRT     = regexp.MustCompile(`^(EPRT \|1\|[\d.]+\|)\d+`)
	requestLine = regexp.MustCompile(`^[A-Z]+ \S+ HTTP/`)
)

// maskRecord masks what a scripted server noted.
func (p *player) maskRecord(r record) map[string]any {
	out := map[string]any{}
	for k, v := range r {
		switch k {
		case "headers":
			out[k] = p.maskFields(v.([]string), false)
		case "line", "partial", "url":
			out[k] = p.mask(v.(string))
		case "raw":
			out[k] = p.maskRawRecord(v.(string))
		case "ftp":
			out[k] = p.maskFTP(v.([]string))
		case "body":
			out[k] = p.bodyView(v.(string))
		case "conn":
			out[k] = float64(v.(int))
		default:
			out[k] = v
		}
	}
	return out
}

func (p *player) maskRawRecord(raw string) string {
	raw = p.mask(raw)
	if !requestLine.MatchString(raw) {
		return raw
	}
	lines := strings.Split(raw, "\r\n")
	for i := range lines {
		lines[i] = p.maskField(lines[i], false)
	}
	return strings.Join(lines, "\r\n")
}

func (p *player) maskFTP(commands []string) []any {
	out := []any{}
	for _, c := range commands {
		if c != "QUIT" {
			c = ftpEPRT.ReplaceAllString(p.mask(c), "${1}{P}")
			out = append(out, ftpPort.ReplaceAllString(c, "PORT ${1},{P},{P}"))
		}
	}
	return out
}
