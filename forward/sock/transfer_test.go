package sock

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// relay is a transfer between two connections with their far ends at hand.
type relay struct {
	Transfer
	feed, sink *net.TCPConn
}

func newRelay(t *testing.T, left int64) *relay {
	src, feed := pair(t)
	dst, sink := pair(t)
	return &relay{Transfer: Transfer{From: src, To: dst, Left: left, Patience: 30 * time.Second}, feed: feed, sink: sink}
}

// noPipeIsLost is to hold at the end of every test that moved something.
func noPipeIsLost(t *testing.T) {
	t.Helper()
	ClosePipes()
	pipes.Lock()
	defer pipes.Unlock()
	if pipes.all != 0 || len(pipes.idle) != 0 {
		t.Errorf("%d pipes out, %d idle", pipes.all, len(pipes.idle))
	}
}

// A source that is reset in the middle: what came before is delivered and
// counted, and the source is to blame.
func TestSourceResetMidway(t *testing.T) {
	defer noPipeIsLost(t)
	for _, small := range []int64{0, 1 << 30} { // by pipe, by copy
		r := newRelay(t, 1<<20)
		r.Small = small
		var got bytes.Buffer
		arrived := make(chan struct{})
		var sink sync.WaitGroup
		sink.Go(func() {
			io.CopyN(&got, r.sink, 1000)
			close(arrived)
			io.Copy(&got, r.sink)
		})
		go func() {
			r.feed.Write(bytes.Repeat([]byte("x"), 1000))
			<-arrived // a reset may overtake what is in the receiver's buffer
			r.feed.SetLinger(0)
			r.feed.Close()
		}()
		total := r.Run()
		r.To.Close()
		sink.Wait()
		if total != 1000 || got.Len() != 1000 || r.ReadErr != unix.ECONNRESET || r.WriteErr != nil || r.Complete() {
			t.Errorf("small %d: %d moved, %d arrived, %v, %v", small, total, got.Len(), r.ReadErr, r.WriteErr)
		}
	}
}

// Bytes beyond Left stay in the source: they are the next message.
func TestNextMessageIsLeftAlone(t *testing.T) {
	defer noPipeIsLost(t)
	for _, small := range []int64{0, 10} {
		r := newRelay(t, 10)
		r.Small = small
		r.feed.Write([]byte("0123456789HTTP/1.0"))
		if n := r.Run(); n != 10 || !r.Complete() {
			t.Fatalf("%d, %v, %v", n, r.ReadErr, r.WriteErr)
		}
		buf := make([]byte, 20)
		if n, err := r.From.Read(buf); string(buf[:n]) != "HTTP/1.0" {
			t.Errorf("small %d: left %q, %v", small, buf[:n], err)
		}
	}
}

// Nothing to move is moved without looking at either side.
func TestEmptyTransfer(t *testing.T) {
	defer noPipeIsLost(t)
	r := newRelay(t, 0)
	if n := r.Run(); n != 0 || !r.Complete() {
		t.Errorf("%d, %v, %v", n, r.ReadErr, r.WriteErr)
	}
	r = newRelay(t, -1)
	r.feed.Close()
	if n := r.Run(); n != 0 || !r.Complete() {
		t.Errorf("%d, %v, %v", n, r.ReadErr, r.WriteErr)
	}
}

// The first Small bytes of unknown length are copied, the rest goes through a
// pipe; where the two meet no byte is lost, and Moved hears of each.
func TestCopyThenPipe(t *testing.T) {
	defer noPipeIsLost(t)
	data := make([]byte, 1<<20+1)
	for i := range data {
		data[i] = byte(i ^ i>>8)
	}
	for _, small := range []int64{0, 1, 64 << 10, 64<<10 + 1, 1 << 20, 1<<20 + 1, 1 << 30} {
		for _, left := range []int64{-1, int64(len(data))} {
			r := newRelay(t, left)
			r.Small = small
			moved := 0
			r.Moved = func(n int) { moved += n }
			var got []byte
			var sink sync.WaitGroup
			sink.Go(func() { got, _ = io.ReadAll(r.sink) })
			go func() { r.feed.Write(data); r.feed.Close() }()
			total := r.Run()
			r.To.Close()
			sink.Wait()
			if total != int64(len(data)) || moved != len(data) || !bytes.Equal(got, data) || !r.Complete() {
				t.Errorf("small %d, left %d: total %d, moved %d, arrived %d; %v, %v", small, left, total, moved, len(got), r.ReadErr, r.WriteErr)
			}
			r.From.Close()
		}
	}
}

// A source that drips and a sink that sips: every byte arrives, and the pipe is
// not held while nothing moves.
func TestDrips(t *testing.T) {
	defer noPipeIsLost(t)
	r := newRelay(t, 50)
	held := make(chan int, 50)
	r.Moved = func(int) {
		r.sink.Read(make([]byte, 1))
		pipes.Lock()
		held <- len(pipes.idle)
		pipes.Unlock()
		r.feed.Write([]byte("x"))
	}
	r.feed.Write([]byte("x"))
	if n := r.Run(); n != 50 || !r.Complete() {
		t.Fatalf("%d, %v, %v", n, r.ReadErr, r.WriteErr)
	}
	pipes.Lock()
	defer pipes.Unlock()
	if len(pipes.idle) != 1 || pipes.all != 1 {
		t.Errorf("%d pipes, %d idle", pipes.all, len(pipes.idle))
	}
}

// Until ends a transfer that makes progress all the time (client_lifetime).
func TestUntil(t *testing.T) {
	defer noPipeIsLost(t)
	r := newRelay(t, -1)
	r.Until = time.Now().Add(50 * time.Millisecond)
	var ends sync.WaitGroup
	ends.Go(func() { io.Copy(io.Discard, r.sink) })
	ends.Go(func() {
		for {
			if _, err := r.feed.Write([]byte("drop")); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	r.Run()
	// The time may end while it waits for bytes or while it hands some on.
	if r.ReadErr != ErrTimeout && r.WriteErr != ErrTimeout || time.Now().Before(r.Until) {
		t.Errorf("%v, %v, %v early", r.ReadErr, r.WriteErr, time.Until(r.Until))
	}
	r.From.Close()
	r.To.Close()
	ends.Wait()
}

// Each side can be given up while the transfer waits for it.
func TestAbortedTransfer(t *testing.T) {
	defer noPipeIsLost(t)
	r := newRelay(t, -1)
	r.feed.Write([]byte("x"))
	r.Moved = func(int) { go r.From.Abort() }
	if n := r.Run(); n != 1 || r.ReadErr != ErrAborted || r.WriteErr != nil {
		t.Errorf("source: %d, %v, %v", n, r.ReadErr, r.WriteErr)
	}

	r = newRelay(t, -1)
	stuffed := stuff(t, r.To.Bare())
	var feed sync.WaitGroup
	feed.Go(func() {
		r.feed.Write(make([]byte, 1<<20))
		r.To.Abort()
	})
	if n := r.Run(); n == 1<<20 || r.WriteErr != ErrAborted || r.ReadErr != nil {
		t.Errorf("destination (%d bytes in it): %d, %v, %v", stuffed, n, r.ReadErr, r.WriteErr)
	}
	r.From.Close()
	feed.Wait()
}

// Pipes are bounded: beyond the bound there is none, beyond the idle ones they
// are closed, and one with bytes in it is never handed to another transfer.
func TestPipesAreBounded(t *testing.T) {
	defer noPipeIsLost(t)
	var taken []*pipe
	for range maxPipes {
		p := takePipe()
		if p == nil {
			t.Fatalf("no pipe after %d", len(taken))
		}
		taken = append(taken, p)
	}
	if p := takePipe(); p != nil {
		t.Error("one pipe too many")
	}
	full := taken[0]
	unix.Write(full.w, []byte("left over"))
	dropPipe(full)
	for _, p := range taken[1:] {
		putPipe(p)
	}
	if len(pipes.idle) != maxIdlePipes || pipes.all != maxIdlePipes {
		t.Errorf("%d idle of %d", len(pipes.idle), pipes.all)
	}
	for _, p := range pipes.idle {
		if n, err := unix.Read(p.r, make([]byte, 1)); n > 0 || err != unix.EAGAIN {
			t.Errorf("an idle pipe gives %d, %v", n, err)
		}
	}
}

// A system without descriptors has no pipes; the transfer copies.
func TestNoDescriptors(t *testing.T) {
	defer noPipeIsLost(t)
	r := newRelay(t, 5)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	p := takePipe()
	if p == nil {
		r.feed.Write([]byte("hello"))
		if n := r.Run(); n != 5 || !r.Complete() {
			t.Errorf("%d, %v, %v", n, r.ReadErr, r.WriteErr)
		}
	} else {
		t.Error("a pipe beyond the limit")
		dropPipe(p)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
}
