package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// storing is a proxy that stores in memory, and an origin whose replies a test leads.
// Nothing of the store may be left pinned, or have been seen damaged, at the end.
type storing struct {
	*rig
	origin string
	asked  chan *asked
}

// asked is one request that has come to the origin.
type asked struct {
	*net.TCPConn
	head string
	over chan struct{} // closed by the test: the connection ends
}

func newStoring(t *testing.T, lines string) *storing {
	s := &storing{asked: make(chan *asked, 100)}
	var open sync.WaitGroup
	s.origin = scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		open.Add(1)
		defer open.Done()
		head, err := readHead(r)
		if err != nil {
			return
		}
		c.SetWriteBuffer(128 << 10)
		a := &asked{TCPConn: c, head: head, over: make(chan struct{})}
		s.asked <- a
		<-a.over
	})
	s.rig = start(t, nil, file(t, "cache_mem 80 MB\nmaximum_object_size_in_memory 40 MB\nmaximum_object_size 40 MB\nminimum_expiry_time 0 seconds\nserver_persistent_connections off\n"+lines))
	t.Cleanup(func() {
		s.settled(func() bool { return s.srv.StoreStats().Pinned == 0 })
		if st := s.srv.StoreStats(); st.Faults != 0 || st.Pinned != 0 {
			t.Errorf("at the end: %+v", st)
		}
	})
	return s
}

// settled waits for what becomes true without anybody's doing.
func (s *storing) settled(is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Error("it never settled")
			return
		}
	}
}

// next is the next request that comes to the origin.
func (s *storing) next() *asked {
	s.t.Helper()
	select {
	case a := <-s.asked:
		s.t.Cleanup(a.end)
		return a
	case <-time.After(20 * time.Second):
		s.t.Fatal("the origin was not asked")
		return nil
	}
}

// none says that the origin was not asked.
func (s *storing) none() {
	s.t.Helper()
	select {
	case a := <-s.asked:
		close(a.over)
		s.t.Errorf("the origin was asked %q", a.head)
	default:
	}
}

// say writes part of the reply, in which DATE stands for now.
func (a *asked) say(text string) {
	a.Write([]byte(strings.ReplaceAll(text, "DATE", time.Now().UTC().Format(http.TimeFormat))))
}

func (a *asked) end() {
	select {
	case <-a.over:
	default:
		close(a.over)
	}
}

// gone waits until the proxy has closed the connection.
func (a *asked) gone() bool {
	a.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := a.Read(make([]byte, 1))
	timeout, _ := err.(net.Error)
	return err != nil && (timeout == nil || !timeout.Timeout())
}

// visitor is a client with one request.
type visitor struct {
	t testing.TB
	*net.TCPConn
	r *bufio.Reader
}

// visit sends a request for a path of the origin.
func (s *storing) visit(path, fields string) *visitor { return s.visitBy("GET", path, fields) }

func (s *storing) visitBy(method, path, fields string) *visitor {
	s.t.Helper()
	c := s.dial()
	c.SetReadBuffer(128 << 10) // the kernel would take megabytes for a client that does not read
	s.t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "%s http://%s%s HTTP/1.0\r\n%s\r\n", method, s.origin, path, fields)
	return &visitor{t: s.t, TCPConn: c, r: bufio.NewReaderSize(c, 4096)}
}

// head reads the head of the reply.
func (v *visitor) head() string {
	v.t.Helper()
	head, err := readHead(v.r)
	if err != nil {
		v.t.Fatalf("%q, %v", head, err)
	}
	return head
}

// some reads so many octets of the body.
func (v *visitor) some(n int) string {
	v.t.Helper()
	b := make([]byte, n)
	if m, err := io.ReadFull(v.r, b); err != nil {
		v.t.Fatalf("%d octets of %d: %v", m, n, err)
	}
	return string(b)
}

// rest reads to the end of the connection.
func (v *visitor) rest() string {
	b, _ := io.ReadAll(v.r)
	return string(b)
}

// is reads head and body, and compares the body.
func (v *visitor) is(want string) (head string) {
	v.t.Helper()
	head = v.head()
	if got := v.rest(); got != want {
		v.t.Errorf("a body of %d octets, %.40q, want %d, %.40q; %q", len(got), got, len(want), want, head)
	}
	return head
}

// leaves is a client that hangs up.
func (v *visitor) leaves() {
	v.SetLinger(0)
	v.Close()
}

// text is a body of so many octets in which every part differs.
func text(n int) string {
	b := make([]byte, 0, n+20)
	for i := int64(0); len(b) < n; i++ {
		b = append(strconv.AppendInt(b, i, 10), ' ')
	}
	return string(b[:n])
}

const lasting = "HTTP/1.1 200 OK\r\nDate: DATE\r\nCache-Control: max-age=1000\r\nConnection: close\r\n"

// sized is the head of a reply with a length.
func sized(n int) string { return lasting + fmt.Sprintf("Content-Length: %d\r\n\r\n", n) }
