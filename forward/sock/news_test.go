package sock

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

type arrivalFunc func(*Conn)

func (f arrivalFunc) Arrived(c *Conn) { f(c) }

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// onlyDescriptors has pair make Descriptors in either run of the tests.
func onlyDescriptors(t *testing.T) {
	before := descriptors
	descriptors = true
	t.Cleanup(func() { descriptors = before })
}

// What comes while a connection is given to the Watcher is told of, whoever was about to
// take the news: the Watcher, which has noted it and not yet told who waits, or somebody
// whose time was over at that moment.
func TestArrivalBeforeAwait(t *testing.T) {
	onlyDescriptors(t)
	for name, meet := range map[string]func(*Descriptor){
		"not told yet": func(d *Descriptor) { d.in.forget() },
		"with the end of the time": func(d *Descriptor) {
			told := make(chan error)
			wake := d.in.wake
			d.in.wake = make(chan struct{}) // until both have come
			d.SetReadDeadline(time.Now().Add(time.Hour))
			go func() { told <- d.wait(&d.in, unix.EPOLLIN) }()
			await(t, "it is waited for", func() bool {
				d.mu.Lock()
				defer d.mu.Unlock()
				return d.in.waited
			})
			d.in.expired.Store(true)
			d.in.wake <- <-wake
			if err := <-told; err == nil {
				t.Error("the time is not over")
			}
			d.in.wake = wake
			d.in.expired.Store(false)
		},
	} {
		a, far := pair(t)
		d := a.own
		if err := d.readBy(d.in.wake); err != nil {
			t.Fatal(err)
		}
		far.Write([]byte("x"))
		await(t, "it is told", func() bool { return d.news.Load() && len(d.in.wake) > 0 })
		meet(d)
		told := make(chan struct{})
		if err := d.w.Await(a, arrivalFunc(func(*Conn) { close(told) })); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
		case <-time.After(30 * time.Second):
			t.Errorf("%s: nobody is told", name)
		}
	}
}

// A read ends where urgent data begins, whatever has come behind it.
func TestUrgentData(t *testing.T) {
	onlyDescriptors(t)
	transfer := func() (*Transfer, Pair, *atomic.Int64) {
		a, far := pair(t)
		b, _ := pair(t)
		p, ok := NewPair(a, b)
		if !ok {
			t.Fatal("no pair")
		}
		far.Write([]byte("abc"))
		sayUrgently(t, far)
		far.Write([]byte("def"))
		await(t, "all has come", func() bool {
			left, err := outstanding(far)
			return err == nil && left == 0 && a.own.news.Load()
		})
		moved := new(atomic.Int64)
		return &Transfer{From: a, To: b, Left: -1, Small: SpliceFrom, Moved: func(n int) { moved.Add(int64(n)) }}, p, moved
	}
	tr, _, moved := transfer()
	await(t, "steps move all", func() bool {
		tr.Step()
		return moved.Load() == 6
	})
	tr, p, moved := transfer()
	p.Part()
	over := make(chan struct{})
	go func() { tr.Run(); close(over) }()
	await(t, "a run moves all", func() bool { return moved.Load() == 6 })
	tr.From.Abort()
	<-over
}

func sayUrgently(t *testing.T, c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { err = unix.Send(int(fd), []byte("!"), unix.MSG_OOB) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// outstanding is how many octets the other side has not acknowledged.
func outstanding(c *net.TCPConn) (n int, err error) {
	raw, err := c.SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) })
	}
	return n, err
}
