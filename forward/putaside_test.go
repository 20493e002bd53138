package forward

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// Half a hello, half a request and silence hold no transaction, and what came of them is
// served when the rest comes.
func TestBeginningsHoldNoTransaction(t *testing.T) {
	hello, origin := recordedHello(t), ""
	origin, _ = echo(t)
	for _, c := range []struct {
		name, whole string
		r           *rig
	}{
		{"hello", string(hello), passing(t, origin, "")},
		{"request", "GET http://127.0.0.1:1/ HTTP/1.0\r\nA: b\r\n\r\n", start(t, nil)},
	} {
		idle := c.r.srv.current.Load().uses.Users()
		for _, part := range []int{0, 1, 5, len(c.whole) / 2, len(c.whole) - 1} {
			conn := c.r.dial()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			if part%2 == 1 { // in the midst of the short stay of who has just come
				time.Sleep(stay / 2)
			}
			io.WriteString(conn, c.whole[:part])
			p := c.r.srv.current.Load()
			eventually(t, fmt.Sprintf("%d octets of a %s hold no transaction", part, c.name), func() bool {
				return c.r.srv.clients.Len() == 1 && p.uses.Users() == idle
			})
			io.WriteString(conn, c.whole[part:])
			if c.name == "hello" {
				back := make([]byte, len(c.whole))
				if _, err := io.ReadFull(conn, back); err != nil || string(back) != c.whole {
					t.Errorf("after %d octets: %q, %v", part, back, err)
				}
			} else if b, err := io.ReadAll(conn); err != nil || !strings.Contains(string(b), " 503 ") {
				t.Errorf("after %d octets: %q, %v", part, b, err)
			}
			conn.Close()
			eventually(t, "the client is gone", func() bool { return c.r.srv.clients.Len() == 0 && p.uses.Users() == idle })
		}
	}
}

// Who sends a beginning octet by octet is cut off when its time is over, counted from when
// it came.
func TestDripsEnd(t *testing.T) {
	origin, _ := echo(t)
	r := passing(t, origin, "request_timeout 1 second")
	hello := recordedHello(t)
	conn := r.dial()
	began := time.Now()
	for _, b := range hello[:100] {
		if _, err := conn.Write([]byte{b}); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond) // the drip is what is tested
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("it was answered")
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it was held for %v", took)
	}
}
