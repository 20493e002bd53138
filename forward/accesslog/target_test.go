package accesslog

import (
	"errors"
	"io"
	"log/syslog"
	"slices"
	"strings"
	"testing"
)

// The numbers are what the reference sends to the system's log.
func TestSyslogPriority(t *testing.T) {
	for spec, want := range map[string]syslog.Priority{
		"":                   166, // local4.info
		"info":               166,
		"err":                163,
		"daemon.emerg":       30, // emerg is 0, which counts as none
		"user.debug":         15,
		"err.user":           11, // in either order
		"LOG_USER|LOG_ERR":   11, // as before STABLE14
		"log_local0.Warning": 132,
		"authpriv.notice":    85,
		"nonsense.nonsense":  166,
		"local7":             190,
		"..":                 166,
	} {
		if got := syslogPriority(spec); got != want {
			t.Errorf("%q: %d, want %d", spec, got, want)
		}
	}
}

// systemLog stands for the system's log daemon.
type systemLog struct {
	down     bool
	messages []string
	closed   int
}

func (s *systemLog) dial() (io.WriteCloser, error) {
	if s.down {
		return nil, errors.New("no log daemon")
	}
	return s, nil
}

func (s *systemLog) Write(message []byte) (int, error) {
	if s.down || strings.Contains(string(message), "refuse") {
		return 0, errors.New("refused")
	}
	s.messages = append(s.messages, string(message))
	return len(message), nil
}

func (s *systemLog) Close() error { s.closed++; return nil }

// Each line is a message; a log daemon that is away loses lines, which are
// counted, and is found again when it comes.
func TestSyslogLines(t *testing.T) {
	daemon := &systemLog{down: true}
	var reports []error
	f, err := openFile("syslog:daemon.info", diskFiles{}, func(err error) { reports = append(reports, err) })
	if err != nil {
		t.Fatal(err)
	}
	f.out.(*syslogTarget).dial = daemon.dial
	send := func(lines string) {
		f.Write([]byte(lines))
		f.Flush()
	}
	send("early\n")
	daemon.down = false
	send("one\ntwo\n")
	send("three\nrefuse\nfour\n")
	if err := f.Rotate(3); err != nil { // there is no file to rename
		t.Error(err)
	}
	send("five\n")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if want := []string{"one", "two", "three", "five"}; !slices.Equal(daemon.messages, want) {
		t.Errorf("messages %q, want %q", daemon.messages, want)
	}
	if f.Lost() != 3 || len(reports) != 4 || daemon.closed != 1 {
		t.Errorf("%d lines lost, reports %v, closed %d times", f.Lost(), reports, daemon.closed)
	}
}

func TestSyslogNeverReached(t *testing.T) {
	f, err := openFile("syslog", diskFiles{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
