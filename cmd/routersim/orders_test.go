package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// controlled runs the program in this process, two routers without a packet side,
// and gives what sends it orders.
func controlled(t *testing.T, more ...string) (order func(words ...string) (string, error), ended <-chan error, events func() string) {
	t.Helper()
	dir := t.TempDir()
	socket, log := filepath.Join(dir, "control"), filepath.Join(dir, "events")
	port := 19000 + rand.IntN(1000) // below those the system chooses from: nobody has it by chance
	args := append([]string{"-router", "127.0.0.2", "-router", "127.0.0.3", "-port", fmt.Sprint(port), "-control", socket, "-events", log}, more...)
	o, err := parseOptions(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx, o); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	order = func(words ...string) (string, error) {
		var out bytes.Buffer
		err := control(append([]string{socket}, words...), &out)
		return out.String(), err
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := order("status"); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	return order, done, func() string { text, _ := os.ReadFile(log); return string(text) }
}

func TestOrders(t *testing.T) {
	order, ended, events := controlled(t)
	addresses := func(words ...string) (list []string) {
		t.Helper()
		out, err := order(words...)
		var all []struct{ Router string }
		if err != nil || json.Unmarshal([]byte(out), &all) != nil {
			t.Fatalf("%v: %q %v", words, out, err)
		}
		for _, r := range all {
			list = append(list, r.Router)
		}
		return list
	}
	if got := fmt.Sprint(addresses("status")); got != "[127.0.0.2 127.0.0.3]" {
		t.Errorf("status of %s", got)
	}
	if got := fmt.Sprint(addresses("@127.0.0.3", "status")); got != "[127.0.0.3]" {
		t.Errorf("status of one: %s", got)
	}
	for _, c := range []struct{ words, answer string }{
		{"counts", "[]"}, {"restart", `"restarted"`}, {"@127.0.0.2 restart", `"restarted"`}, {"query", `"queried"`},
	} {
		if out, err := order(strings.Fields(c.words)...); err != nil || strings.TrimSpace(out) != c.answer {
			t.Errorf("%s: %q %v, want %s", c.words, out, err, c.answer)
		}
	}
	for words, why := range map[string]string{
		"dance": "not known", "@127.0.0.9 status": "no router 127.0.0.9", "faults nonsense": "nonsense", "inject": "",
		"inject 127.0.0.1:9": "", "inject 127.0.0.1:9 xyz": "invalid byte", "@127.0.0.2": "not known",
	} {
		if out, err := order(strings.Fields(words)...); words != "inject 127.0.0.1:9" && (err == nil || !strings.Contains(out, `"error"`) || !strings.Contains(out, why)) {
			t.Errorf("%q is obeyed: %q %v", words, out, err)
		}
	}
	if out, err := order("quit"); err != nil || strings.TrimSpace(out) != `"ending"` {
		t.Errorf("quit: %q %v", out, err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	for _, line := range []string{`"event":"started"`, `"command":"@127.0.0.3 status"`, `"command":"dance","why":"command`, `"command":"quit"`} {
		if !strings.Contains(events(), line) {
			t.Errorf("the event log lacks %s:\n%s", line, events())
		}
	}
}

// What is injected comes from each router, octet for octet; faults are told back.
func TestInjectAndFaults(t *testing.T) {
	order, _, _ := controlled(t)
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if out, err := order("inject", c.LocalAddr().String(), "0aff00"); err != nil || strings.TrimSpace(out) != `"sent"` {
		t.Errorf("inject: %q %v", out, err)
	}
	from := map[string]bool{}
	for range 2 {
		b := make([]byte, 10)
		c.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, who, err := c.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], []byte{0x0a, 0xff, 0}) {
			t.Fatalf("% x, %v", b[:n], err)
		}
		from[who.(*net.UDPAddr).IP.String()] = true
	}
	if !from["127.0.0.2"] || !from["127.0.0.3"] {
		t.Errorf("from %v", from)
	}
	set, err := order("faults", "silent")
	if err != nil {
		t.Errorf("faults: %q %v", set, err)
	}
	if cleared, err := order("faults"); err != nil || cleared == set {
		t.Errorf("no faults: %q %v", cleared, err)
	}
}

// A planned order comes by itself, and a wrong one is refused before the start.
func TestPlannedOrders(t *testing.T) {
	_, ended, events := controlled(t, "-at", "300ms quit")
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	if !strings.Contains(events(), `"command":"quit"`) {
		t.Errorf("the event log:\n%s", events())
	}
	for _, at := range []string{"1s dance", "1s faults nonsense", "soon quit", "1s"} {
		if _, err := parseOptions([]string{"-router", "127.0.0.2", "-at", at}, io.Discard); err == nil {
			t.Errorf("%q is accepted", at)
		}
	}
}

// The control socket answers lines of any kind, and one that never ends is cut off.
func TestControlOfNonsense(t *testing.T) {
	l := &lab{}
	var err error
	if l.events, err = openEvents(filepath.Join(t.TempDir(), "events")); err != nil {
		t.Fatal(err)
	}
	defer l.events.close()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); l.converse(context.Background(), there) }()
	go func() {
		fmt.Fprint(here, "\n@\n\x00\xff\n{}\n")
		here.Write(bytes.Repeat([]byte("x"), longestOrder+1))
	}()
	answers, _ := io.ReadAll(here)
	<-done
	if n := strings.Count(string(answers), `{"error":`); n != 4 {
		t.Errorf("%d refusals of 4:\n%s", n, answers)
	}
}

// Events may go where nothing is kept.
func TestEventsIntoADevice(t *testing.T) {
	e, err := openEvents("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	e.obeyed("stop", nil)
	if err := e.close(); err != nil {
		t.Error(err)
	}
}
