package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// standIn is something measured as if it were a proxy: this process.
func standIn(t *testing.T, listen int, o *origin) *running {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	r := &running{cmd: &exec.Cmd{Process: self}}
	r.listen = listen
	if o != nil {
		r.origin, r.tunnel, r.tcp = portOf(o.http), portOf(o.tunnel), portOf(o.tunnel)
	}
	return r
}

func newTestOrigin(t *testing.T) *origin {
	t.Helper()
	o, err := newOrigin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.http.Close(); o.tunnel.Close() })
	return o
}

// The load is what it says it is: the origin itself, measured in a proxy's place,
// is asked as often and sends as much as the outcome tells.
func TestLoadCountsWhatItMoves(t *testing.T) {
	o := newTestOrigin(t)
	r := standIn(t, portOf(o.http), o)
	for _, fresh := range []bool{false, true} {
		g, err := newCrowd(r, 3, fresh)
		if err != nil {
			t.Fatal(err)
		}
		small := g.load(20 * time.Millisecond)
		if small.err != nil || small.requests < 3 || small.elapsed < 20*time.Millisecond {
			t.Errorf("small, fresh %v: %+v", fresh, small)
		}
		for _, c := range g.clients {
			c.conn.Close()
		}
	}
	if m := bulk(r, 2, 1, 3); m.err != nil || m.bytes != 6<<20 || m.cpu <= 0 {
		t.Errorf("bulk: %+v", m)
	}
	if m := connect(r, 2, 1); m.err != nil || m.bytes != 2<<20 {
		t.Errorf("a plain port: %+v", m)
	}
	if _, err := idle(r, 5, 0); err != nil {
		t.Errorf("idle: %v", err)
	}
}

// answering listens and answers every connection's first request with the pieces.
func answering(t *testing.T, pieces ...string) (port int) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go accept(l, func(c net.Conn) {
		c.Read(make([]byte, 4096))
		for _, p := range pieces {
			io.WriteString(c, p)
			time.Sleep(time.Millisecond) // so that pieces arrive as such, mostly
		}
	})
	return portOf(l)
}

// A wrong answer is no measurement.
func TestFetchJudgesTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		length       int
		err          string
	}{
		{"whole", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5, ""},
		{"HTTP/1.0, other spelling", "HTTP/1.0 200 OK\r\ncontent-LENGTH:5 \r\nX: y\r\n\r\nhello", 5, ""},
		{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, ""},
		{"an error page", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 0, "503 Busy"},
		{"without length", "HTTP/1.1 200 OK\r\n\r\nhello", 0, "without length"},
		{"a strange length", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 0, "invalid syntax"},
		{"a body cut short", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", 6, "EOF"},
		{"a head cut short", "HTTP/1.1 200 OK\r\nContent-Le", 0, "EOF"},
		{"nothing", "", 0, "EOF"},
	} {
		for _, pieces := range [][]string{{c.answer}, {c.answer[:len(c.answer)/2], c.answer[len(c.answer)/2:]}} {
			cl, err := newClient(standIn(t, answering(t, pieces...), nil), "/small")
			if err != nil {
				t.Fatal(err)
			}
			n, err := cl.fetch()
			cl.conn.Close()
			if c.err == "" && (err != nil || n != c.length) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%s in %d pieces: %d octets, %v", c.name, len(pieces), n, err)
			}
		}
	}
}

// A tunnel that is refused, or ends early, is none.
func TestConnectJudgesTheTunnel(t *testing.T) {
	for name, answer := range map[string]string{
		"refused": "HTTP/1.1 403 Forbidden\r\n\r\n", "hung up on": "", "short": "HTTP/1.0 200 Connection established\r\n\r\nshort",
	} {
		r := standIn(t, answering(t, answer), nil)
		r.forward = true
		if m := connect(r, 1, 1); m.err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

// Time and memory are those of the process and all it started.
func TestUsageOfAFamily(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo; sleep 60; :' & wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, pid := range family(cmd.Process.Pid) {
			if p, err := os.FindProcess(pid); err == nil {
				p.Kill()
			}
		}
		cmd.Wait()
	}()
	out.Read(make([]byte, 1))                              // the grandchild has worked
	if n := len(family(cmd.Process.Pid)); n < 2 || n > 3 { // sleep may not have begun
		t.Errorf("a family of %d", n)
	}
	if cpu := processorTime(cmd.Process.Pid, ""); cpu < time.Millisecond {
		t.Errorf("%v of processor time for 20,000 rounds of a shell", cpu)
	}
	shell, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if all, rest := processorTime(cmd.Process.Pid, ""), processorTime(cmd.Process.Pid, shell); rest >= all {
		t.Errorf("%v without the shells, %v with them", rest, all)
	}
	if rss := resident(cmd.Process.Pid); rss < 100<<10 {
		t.Errorf("%d octets resident", rss)
	}
	if processorTime(1<<30, "") != 0 || resident(1<<30) != 0 {
		t.Error("a process that is not there uses something")
	}
}

// The configurations written for the contenders that are here are accepted.
func TestConfigurationsAreAccepted(t *testing.T) {
	checks := map[string][]string{"nginx": {"-t", "-c"}, "haproxy": {"-c", "-f"}}
	p := ports{listen: freePort(), tcp: freePort(), origin: freePort(), tunnel: freePort()}
	for _, c := range contenders("/nonexistent", "", []string{"nginx", "haproxy"}) {
		flags, checked := checks[c.name]
		if !checked {
			continue
		}
		dir := t.TempDir()
		conf := dir + "/conf"
		if err := os.WriteFile(conf, []byte(c.conf(dir, p)), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(c.bin, append(flags, conf)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
}

// A contender that does not start is said to, with its last words.
func TestContenderThatFails(t *testing.T) {
	o := newTestOrigin(t)
	c := contender{name: "broken", bin: "/nonexistent/proxy", conf: squidConf, args: squidArgs}
	if _, err := c.start(o, noCache); err == nil {
		t.Error("no error")
	}
}

func TestTable(t *testing.T) {
	tab := newTable("ms/GB", "ratio")
	tab.add("ours", []float64{300, 0})
	tab.add("other", []float64{600, 0})
	tab.ratios("other")
	if got := fmt.Sprint(tab.rows); got != "[[300 0.5] [600 1]]" {
		t.Error(got)
	}
	tab.ratios("not measured")
	if got := fmt.Sprint(tab.rows); got != "[[300 0.5] [600 1]]" {
		t.Errorf("without the other: %s", got)
	}
}

func TestRounds(t *testing.T) {
	r := newRounds()
	for n := range 9 { // one round in two is disturbed
		r.add("ours", 30+float64(n%2*100), 1000-float64(n%2*500))
		r.add("nginx", 20+float64(n%2*50), 2000)
	}
	tab := r.table("ratio", func(string) string { return "nginx" })
	if got := fmt.Sprint(tab.names, tab.rows); got != "[ours nginx] [[30 1.5 1000] [20 1 2000]]" {
		t.Error(got)
	}
	for n := range 4 { // a helper costs 3 us; what disturbs a round disturbs both
		r.add("helped", 33+float64(n%2*100), 900)
	}
	tab = r.added(func(name string) string { return strings.Replace(name, "helped", "ours", 1) })
	if got := fmt.Sprint(tab.names, tab.rows); got != "[ours nginx helped] [[30 0 1000] [20 0 2000] [33 3 900]]" {
		t.Error(got)
	}
	for share, want := range map[float64]float64{0: 1, 0.25: 2, 0.5: 3, 1: 5} {
		if got := quantile([]float64{5, 3, 1, 4, 2}, share); got != want {
			t.Errorf("quantile %g is %g, want %g", share, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}
