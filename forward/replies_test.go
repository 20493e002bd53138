package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/judge"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"golang.org/x/sys/unix"
)

// poison is an answer nobody asked for.
const poison = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\npoison"

// plain is the answer to the requests that come after a hostile one.
const plain = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nplain"

// hostileReply is an answer that some parser somewhere reads as more than one,
// or as having another body. {K} asks for a kept connection.
type hostileReply struct {
	name, text string
	// want is what the client gets with HTTP/1.0 and HTTP/1.1 spoken on both sides
	// when poison comes right behind it, and when it comes late: status and body,
	// P standing for poison.
	want, late [2]string
}

// script is what a hostile origin says, late behind the rest when that is set.
type script struct {
	said, late string
	goAhead    chan struct{} // closed when the late part is due
	done       chan struct{} // has an entry when it is out
}

// hostileOrigin answers /hostile by the script and everything else with plain. It counts
// the connections to it.
func hostileOrigin(t *testing.T, says *atomic.Pointer[script], open *atomic.Int64) (addr string) {
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		open.Add(1)
		defer open.Add(-1)
		for {
			q, err := judge.ReadRequest(r)
			if err != nil {
				return
			}
			if q.Target != "/hostile" {
				io.WriteString(c, plain)
				continue
			}
			s := says.Load()
			io.WriteString(c, s.said)
			if s.late != "" {
				<-s.goAhead
				io.WriteString(c, s.late)
				waitTaken(t, c)
				s.done <- struct{}{}
			}
			// Some of these answers have no end but the connection's.
			c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := r.Peek(1); err != nil {
				c.CloseWrite()
			}
			c.SetReadDeadline(time.Time{})
		}
	})
}

// waitTaken waits until the other side's system has taken all that was written.
func waitTaken(t *testing.T, c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	for waiting := true; waiting; time.Sleep(100 * time.Microsecond) {
		raw.Control(func(fd uintptr) {
			left, _ := unix.IoctlGetInt(int(fd), unix.TIOCOUTQ)
			info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
			waiting = left > 0 && err == nil && info.State == unix.BPF_TCP_ESTABLISHED
		})
	}
}

// strictClient asks one thing after the other and reads the answers by the
// letter, on one connection for as long as that stays open.
type strictClient struct {
	r  *rig
	c  net.Conn
	br *bufio.Reader
}

func (s *strictClient) ask(origin, path string) (*judge.Reply, error) {
	if s.c == nil {
		s.c = s.r.dial()
		s.br = bufio.NewReader(s.c)
	}
	fmt.Fprintf(s.c, "GET http://%s%s HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n", origin, path)
	for {
		p, err := judge.ReadReply(s.br, "GET")
		if err == nil && p.Status < 200 && p.Minor == 1 && !p.Closes() {
			continue
		}
		if err != nil || p.Closes() {
			if rest, _ := io.ReadAll(s.br); len(rest) > 0 && err == nil {
				err = fmt.Errorf("%q behind an answer that closes", rest)
			}
			s.c.Close()
			s.c = nil
		}
		return p, err
	}
}

// TestHostileReplies: whatever an origin says, its client gets at most one
// answer, and the next requests, of the same client and of others, get theirs.
func TestHostileReplies(t *testing.T) {
	for i, mode := range []string{"1.0", "1.1"} {
		var says atomic.Pointer[script]
		var open atomic.Int64
		addr := hostileOrigin(t, &says, &open)
		r := start(t, nil, modes[mode], func(c *conf.Config) { c.ReadTimeout = time.Minute })
		for _, h := range hostileReplies {
			for _, late := range []bool{false, true} {
				want := h.want[i]
				o := &script{said: strings.ReplaceAll(h.text, "{K}", "Connection: keep-alive\r\n"),
					goAhead: make(chan struct{}), done: make(chan struct{}, 10)}
				if late {
					want, o.late = h.late[i], poison
				} else {
					o.said += poison
				}
				says.Store(o)
				t.Run(fmt.Sprintf("%s %s late %v", mode, h.name, late), func(t *testing.T) {
					// The answer has reached its client before the connection it came on is kept: a
					// kept one is another case, and may end with the request on its way.
					eventually(t, "no connection is left", func() bool { r.srv.pool.DropIdle(); return open.Load() == 0 })
					same, other := &strictClient{r: r}, &strictClient{r: r}
					var p *judge.Reply
					var err error
					if late {
						answered := make(chan struct{})
						go func() { p, err = same.ask(addr, "/hostile"); close(answered) }()
						select {
						case <-answered:
						case <-time.After(10 * time.Millisecond): // it waits for more
						}
						close(o.goAhead)
						<-o.done
						<-answered
						// Until then the connection would be used without a look, and what came is
						// only told by what is behind it, if that is there by then. It is kept when
						// the client has the answer already.
						eventually(t, "the connection is kept, or over", func() bool { return r.srv.pool.Len() > 0 || open.Load() == 0 })
						time.Sleep(origin.HardlyIdle)
					} else {
						p, err = same.ask(addr, "/hostile")
					}
					body := bytes.ReplaceAll(p.Body, []byte(poison), []byte("P"))
					if p.Status >= 400 {
						body = nil
					}
					// What is no number between 100 and 599 goes out as such, as in 2.6.
					odd := p.Status == 0 && err != nil && strings.HasPrefix(err.Error(), "no status line")
					if got := strings.TrimSpace(fmt.Sprintf("%d %s", p.Status, body)); got != want || err != nil && err != judge.ErrPartial && !odd {
						t.Errorf("got %q %v, want %q", got, err, want)
					}
					for _, next := range []*strictClient{same, other, same, other} {
						if p, err := next.ask(addr, "/plain"); err != nil || p.Status != 200 || string(p.Body) != "plain" {
							t.Fatalf("the next request got %d %q %v", p.Status, p.Body, err)
						}
					}
					for _, s := range []*strictClient{same, other} {
						if s.c != nil {
							s.c.Close()
						}
					}
				})
			}
		}
	}
}

// TestFloodsBeforeAnAnswer: what may come before an answer comes in bounds, and
// bytes that are no answer are one on a fresh connection only.
func TestFloodsBeforeAnAnswer(t *testing.T) {
	for i, mode := range []string{"1.0", "1.1"} {
		for _, c := range []struct {
			name, said string
			want       [2]string
		}{
			{"1xx", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", fetch.MaxInterims+1) + plain, [2]string{"502", "502"}},
			{"fewer 1xx", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", fetch.MaxInterims) + plain, [2]string{"200 plain", "200 plain"}},
			{"blanks", strings.Repeat("\r\n", fetch.ReplyBuffer/2) + plain, [2]string{"502", "502"}},
			{"fewer blanks", strings.Repeat("\r\n", fetch.MaxBlanks/2) + plain, [2]string{"200 plain", "200 plain"}},
			{"no answer", "rest of a body", [2]string{"200 rest of a body", "200 rest of a body"}},
		} {
			t.Run(mode+" "+c.name, func(t *testing.T) {
				var hostile atomic.Int32 // answers to /hostile on kept connections
				origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
					for n := 0; ; n++ {
						q, err := judge.ReadRequest(r)
						switch {
						case err != nil:
							return
						case q.Target == "/plain":
							io.WriteString(conn, plain)
							continue
						case n > 0:
							hostile.Add(1)
						}
						io.WriteString(conn, c.said)
						if c.name == "no answer" {
							return
						}
					}
				})
				r := start(t, nil, modes[mode])
				s := &strictClient{r: r}
				if p, err := s.ask(origin, "/plain"); err != nil || string(p.Body) != "plain" {
					t.Fatal(err)
				}
				p, err := s.ask(origin, "/hostile")
				if p.Status >= 400 {
					p.Body = nil
				}
				if got := strings.TrimSpace(fmt.Sprintf("%d %s", p.Status, p.Body)); got != c.want[i] || err != nil || hostile.Load() != 1 {
					t.Errorf("got %q %v, want %q", got, err, c.want[i])
				}
				if s.c != nil {
					s.c.Close()
				}
			})
		}
	}
}
