package report

import (
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func observed(level zapcore.Level) (Sections, *observer.ObservedLogs) {
	core, logs := observer.New(level)
	return NewSections(zap.New(core)), logs
}

// said is the line of an entry, without the section that every one of them has.
func said(e observer.LoggedEntry) string {
	line, _, _ := strings.Cut(Line(e.Message, e.Context), " "+SectionKey+"=")
	return line
}

// Lines about traffic are so many a second; what is left out is counted and said.
func TestTrafficIsBounded(t *testing.T) {
	var f flood
	now := time.Unix(1000, 0)
	written := 0
	for range 3 * trafficLines {
		if _, ok := f.may(now); ok {
			written++
		}
	}
	if left, ok := f.may(now.Add(time.Second)); written != trafficLines || left != 2*trafficLines || !ok {
		t.Errorf("%d written, %d left out, %v", written, left, ok)
	}
	if left, ok := f.may(now.Add(time.Second)); left != 0 || !ok {
		t.Errorf("said twice: %d, %v", left, ok)
	}
}

// What a line says depends on the level asked for, and on nothing where nobody asks.
func TestSectionLevels(t *testing.T) {
	s, logs := observed(level(2))
	if !s.ACL.On(1) || !s.ACL.On(2) || s.ACL.On(3) || (Section{}).On(1) {
		t.Error("the levels of a section")
	}
	s.ACL.Say(2, "two {n}", zap.Int("n", 2))
	s.ACL.Say(3, "three")
	s.DNS.Traffic("traffic")
	(Section{}).Say(1, "nobody")
	(Section{}).Traffic("nobody")
	var got []string
	for _, e := range logs.All() {
		got = append(got, Line(e.Message, e.Context))
	}
	if want := "two 2 section=28 traffic section=78"; strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
}

func TestOddFieldsAreTold(t *testing.T) {
	for _, c := range []struct {
		warn bool
		want string
	}{
		{true, "WARNING: unparseable HTTP header field {HTTP/1.0 200 OK}|NOTICE: Whitespace after header name in 'A : b'"},
		{false, "WARNING: unparseable HTTP header field {HTTP/1.0 200 OK}"},
	} {
		s, logs := observed(level(1))
		var r http1.Reply
		r.Reset()
		if _, state := r.Parse([]byte("HTTP/1.0 200 OK\r\nServer: x\r\nHTTP/1.0 200 OK\r\nA : b\r\nB: c\r\n\r\n"), true, &http1.Options{Relaxed: true}); state != http1.Complete || !r.Odd() {
			t.Fatal(state)
		}
		s.Odd(&r.Fields, c.warn)
		var got []string
		for _, e := range logs.All() {
			got = append(got, said(e))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("warn %v: %q", c.warn, got)
		}
	}
}

func TestHeadsAreToldLineByLine(t *testing.T) {
	s, logs := observed(level(2))
	Lines(s.HTTP, 2, "REPLY: ", []byte("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody\r\n"))
	if logs.Len() != 2 || said(logs.All()[1]) != "REPLY: A: b" {
		t.Errorf("%v", logs.All())
	}
}

func BenchmarkOff(b *testing.B) {
	s, _ := observed(level(1))
	for b.Loop() {
		if s.ACL.On(3) {
			b.Fatal("on")
		}
	}
}
