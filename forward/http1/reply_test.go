package http1

import (
	"fmt"
	"strings"
	"testing"
)

// parseReply parses all an origin sends before it closes.
func parseReply(t testing.TB, text string, o *Options) (*Reply, int, State) {
	t.Helper()
	r := &Reply{}
	r.Reset()
	n, state := r.Parse([]byte(text), true, o)
	return r, n, state
}

// Heads and what is made of them; the reference's answers, except where the
// comment says so.
func TestReplyHead(t *testing.T) {
	for _, c := range []struct {
		text  string
		fault Fault
		want  string // "major.minor status fields" and the rest
	}{
		{"HTTP/1.1 200 OK\r\nX: 1\r\n\r\nbody", NoFault, "1.1 200 X: 1 +body"},
		{"HTTP/1.1 200 OK\nX: 1\n\nbody", NoFault, "1.1 200 X: 1 +body"},
		{"HTTP/1.1 200\r\n\r\n", NoFault, "1.1 200  +"},
		{"HTTP/1.1  404   Gone fishing\r\n\r\n", NoFault, "1.1 404  +"},
		{"HTTP/1.1 200abc x\r\n\r\n", NoFault, "1.1 200  +"},
		{"HTTP/1 200 OK\r\n\r\n", NoFault, "1.0 200  +"},
		{"HTTP/2.0 200 OK\r\n\r\n", NoFault, "2.0 200  +"},
		{"HTTP/0.9 200 OK\r\nX: 1\r\n\r\n", NoFault, "0.9 200 X: 1 +"},
		{"HTTP/1.1 599 x\r\n\r\n", NoFault, "1.1 599  +"},
		{"HTTP/1.0 200 OK\r\nX-A: b\r\n", NoFault, "1.0 200 X-A: b +"},
		{"http/1.1 200 OK\r\n\r\n", NoFault, "0.9 200  +http/1.1 200 OK\r\n\r\n"},
		{"\r\nHTTP/1.1 200 OK\r\n\r\n", NoFault, "0.9 200  +\r\nHTTP/1.1 200 OK\r\n\r\n"},
		{"hello world", NoFault, "0.9 200  +hello world"},
		{"HTTP/1.1 600 x\r\n\r\n", InvalidReply, ""},
		{"HTTP/1.1 601 x\r\n\r\n", InvalidReply, ""},
		{"HTTP/1.1 602 x\r\n\r\n", NoFault, "1.1 602  +"},
		{"HTTP/1.1 999 x\r\n\r\n", NoFault, "1.1 999  +"},
		{"HTTP/1.1 1000 x\r\n\r\n", InvalidReply, ""},
		{"HTTP/ 200 OK\r\n\r\n", InvalidReply, ""},
		{"HTTP/x 200 OK\r\n\r\n", InvalidReply, ""},
		{"HTTP/1.1\r\n\r\n", InvalidReply, ""},
		{"HTTP/1.0 200 OK", InvalidReply, ""}, // 2.6 relays half a line and hangs
		{"HTTP", InvalidReply, ""},            // 2.6 hangs
		{"abc", InvalidReply, ""},             // 2.6 hangs
		{"", InvalidReply, ""},
		{"HTTP/1.1 abc\r\n\r\n", NoFault, "1.1 0  +"},
		{"HTTP/1.0 000 OK\r\n\r\n", NoFault, "1.0 0  +"},
		{"HTTP/1.1 99 x\r\n\r\n", NoFault, "1.1 99  +"},
		{"HTTP/1.1 1000 x\r\n\r\n", InvalidReply, ""}, // 2.6: status 1000
		{"HTTP/1.1 -200 x\r\n\r\n", InvalidReply, ""}, // 2.6: status -200
		{"HTTP/1.1\t200 OK\r\n\r\n", NoFault, "1.1 0  +"},
		{"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n", InvalidReply, ""}, // 2.6 relays it unprocessed
		{"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", NoFault, "1.1 200 X: a   b +"},
		{"HTTP/1.1 200 OK\r\nX : a\r\nfoo\r\nBad Name: x\r\n\r\n", NoFault, "1.1 200 X: a +"},
	} {
		r, n, state := parseReply(t, c.text, relaxed)
		got := ""
		if state == Complete {
			got = fmt.Sprintf("%d.%d %d %s +%s", r.Major, r.Minor, r.Status, lines(&r.Fields), c.text[n:])
		}
		if r.Fault != c.fault || got != c.want {
			t.Errorf("%q: %q (%v), want %q", c.text, got, r.Fault, c.want)
		}
	}
}

func TestReplyLimit(t *testing.T) {
	o := &Options{Relaxed: true, MaxHead: 100}
	base := "HTTP/1.0 200 OK\r\nX: \r\n\r\n"
	head := func(size int) string {
		return strings.Replace(base, "X: ", "X: "+strings.Repeat("h", size-len(base)), 1)
	}
	if r, _, state := parseReply(t, head(100), o); state != Complete {
		t.Errorf("100 bytes: %v", r.Fault)
	}
	if r, _, _ := parseReply(t, head(101), o); r.Fault != ReplyTooLarge {
		t.Errorf("101 bytes: %v", r.Fault)
	}
	r := &Reply{}
	r.Reset()
	if _, state := r.Parse([]byte(head(200)[:100]), false, o); state != NeedMore {
		t.Errorf("100 of 200 bytes: %v", r.Fault)
	}
	if _, state := r.Parse([]byte(head(200)[:101]), false, o); state != Failed || r.Fault != ReplyTooLarge {
		t.Errorf("101 of 200 bytes: %v", r.Fault)
	}
}

func TestReplyTruncatedIsMarked(t *testing.T) {
	r, _, _ := parseReply(t, "HTTP/1.0 200 OK\r\nX-A: b\r\n", relaxed)
	if !r.Truncated {
		t.Error("a cut head passes for a whole one")
	}
	if r, _, _ = parseReply(t, "HTTP/1.0 200 OK\r\nX-A: b\r\n\r\n", relaxed); r.Truncated {
		t.Error("a whole head passes for a cut one")
	}
}

func TestStatusLines(t *testing.T) {
	for status, want := range map[int]string{0: "HTTP/1.0   0 Init\r\n", 99: "HTTP/1.0  99 Unknown\r\n", 200: "HTTP/1.0 200 OK\r\n"} {
		if got := string(AppendStatusLine(nil, 0, status)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestReasons(t *testing.T) {
	for status, want := range map[int]string{200: "OK", 302: "Moved Temporarily", 504: "Gateway Time-out", 207: "Unknown", 308: "Unknown", -1: "Unknown", 700: "Unknown"} {
		if Reason(status) != want {
			t.Errorf("%d: %q, want %q", status, Reason(status), want)
		}
	}
}
