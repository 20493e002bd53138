package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleLiar makes this test's binary a proxy of a few lines that may lie.
const roleLiar = "EXCHANGE_LIAR"

func TestMain(m *testing.M) {
	if os.Getenv(roleLiar) != "" {
		beLiar()
		return
	}
	os.Exit(m.Run())
}

// liar is the proxy: what its squid.conf says of port, log and lie.
type liar struct{ listen, log, lie string }

func beLiar() {
	l := liar{}
	conf, _ := os.ReadFile(os.Args[2])
	for line := range strings.Lines(string(conf)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "http_port":
			l.listen = rest
		case "access_log":
			l.log, _, _ = strings.Cut(rest, " ")
		case "lie":
			l.lie = rest
		}
	}
	if l.lie == "does not start" {
		os.Exit(1)
	}
	ln, err := net.Listen("tcp4", l.listen)
	if err != nil {
		os.Exit(2)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() { <-asked; os.Exit(0) }()
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go l.serve(c)
	}
}

// unless gives what is right, or what the lie makes of it.
func (l liar) unless(lie, right, wrong string) string {
	if l.lie == lie {
		return wrong
	}
	return right
}

func (l liar) serve(c net.Conn) {
	in := bufio.NewReader(c)
	request, err := in.ReadString('\n')
	if err != nil {
		c.Close()
		return
	}
	for line := request; strings.TrimSpace(line) != ""; line, _ = in.ReadString('\n') {
	}
	target, _ := url.Parse(strings.Fields(request)[1])
	times := 1
	if l.lie == "asks twice" {
		times = 2
	}
	if l.lie == "never asks" {
		times = 0
	}
	for range times {
		l.ask(target)
	}
	if l.lie == "dies" {
		os.Exit(3)
	}
	answer := "HTTP/1.0 " + l.unless("code", "200", "201") + " " + l.unless("phrase", "OK", "Fine") + "\r\n"
	fields := l.unless("spelling", "X-A", "x-a") + ": 1\r\nX-B: 2\r\n"
	answer += l.unless("order", fields, "X-B: 2\r\nX-A: 1\r\n")
	answer += l.unless("another field", "", "X-C: 3\r\n")
	answer += "Content-Length: 5\r\n\r\n" + l.unless("body", "hello", "hallo")
	answer = l.unless("cut short", answer, answer[:len(answer)-1])
	answer = l.unless("too much", answer, answer+"x")
	io.WriteString(c, answer)
	tag := l.unless("tag", "TCP_MISS", "TCP_HIT")
	size := len(answer)
	if l.lie == "size" {
		size++
	}
	line := fmt.Sprintf("%d.123      1 127.0.0.1 %s/200 %d GET %s - DIRECT/127.0.0.1 -\n", time.Now().Unix(), tag, size, target)
	if l.lie != "no line" {
		log, _ := os.OpenFile(l.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		io.WriteString(log, line+l.unless("two lines", "", line))
		log.Close()
	}
	if l.lie != "stays open" {
		c.Close()
	}
}

func (l liar) ask(target *url.URL) {
	o, err := net.Dial("tcp4", target.Host)
	if err != nil {
		return
	}
	defer o.Close()
	fmt.Fprintf(o, "%s %s HTTP/1.0\r\nHost: %s\r\n%s\r\n", l.unless("method", "GET", "HEAD"),
		target.Path+l.unless("target", "", "b"), target.Host, l.unless("origin's field", "", "X-Extra: 1\r\n"))
	io.ReadAll(o)
}

const liarScenario = `{"name": "plain", "conf": ["lie %s"], "steps": [{
	"send": "GET http://{ORIGIN}/a HTTP/1.0\r\n\r\n",
	"origin": ["HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"]}]}`

// liarRun plays the scenario once a lie, all at the same time: most of it is waiting
// for what a lie leaves out.
func liarRun(t *testing.T, lies []string, observed map[string]any) []result {
	t.Helper()
	t.Setenv(roleLiar, "1")
	dir := filepath.Join(t.TempDir(), "area")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, lie := range lies {
		var sc map[string]any
		if err := json.Unmarshal(fmt.Appendf(nil, liarScenario, lie), &sc); err != nil {
			t.Fatal(err)
		}
		sc["observed"] = observed
		text, _ := json.Marshal(sc)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.json", n)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all, err := loadScenarios([]string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	results, err := run(settings{bin: self, jobs: len(all), group: 10, portBase: 10000 + os.Getpid()*61%40000, portCount: 900,
		scratch: t.TempDir(), startTimeout: 20 * time.Second}, all)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// Played from the start of a proxy to the verdict, each lie costs the grade it is
// worth, and the truth none.
func TestLiesAreCaught(t *testing.T) {
	t.Setenv("http_proxy", "")
	honest := map[string]any{}
	if err := json.Unmarshal([]byte(`{
		"steps": [{"got": [{"status": "HTTP/1.0 200 OK", "headers": ["X-A: 1", "X-B: 2", "Content-Length: 5"], "body": "hello"}], "end": "closed"}],
		"origin": [{"to": "ORIGIN", "conn": 1, "line": "GET /a HTTP/1.0", "headers": ["Host: 127.0.0.1:{ORIGIN_PORT}"]}],
		"logs": {"access.log": [{"line": "{TS} {MS} 127.0.0.1 TCP_MISS/200 {RX} GET http://127.0.0.1:{ORIGIN_PORT}/a - DIRECT/127.0.0.1 -", "ms": 1}]}}`), &honest); err != nil {
		t.Fatal(err)
	}
	worth := map[string]int{
		"none": 3, "order": 2, "spelling": 2, "phrase": 1, "another field": 1, "size": 1, "origin's field": 1,
		"code": 0, "body": 0, "cut short": 0, "too much": 0, "tag": 0, "no line": 0, "two lines": 0, "target": 0, "method": 0,
		"asks twice": 0, "never asks": 0, "dies": 0, "does not start": 0, "stays open": 0,
	}
	var lies []string
	for lie := range worth {
		lies = append(lies, lie)
	}
	results := liarRun(t, lies, honest)
	if len(results) != len(lies) {
		t.Fatalf("%d results of %d", len(results), len(lies))
	}
	for _, r := range results {
		lie := strings.TrimPrefix(r.sc.Conf[0], "lie ")
		if r.grade != worth[lie] {
			t.Errorf("%s reaches grade %d, want %d:\n%s", lie, r.grade, worth[lie], r.describe(5))
		}
		if r.grade < 3 && r.describe(5) == "" {
			t.Errorf("%s: nothing is said about what was wrong", lie)
		}
	}
}
