package tunnel

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Many tunnels at once, whose sides say anything in any pieces, fall silent and go on, and
// end in any way: what nobody cuts passes whole, both ways, with both ends; every tunnel
// ends; and nothing is left of any.
func TestManyTunnels(t *testing.T) {
	l, w := listen(t)
	sock.ClosePipes()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var all sync.WaitGroup
	for i := range 60 {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		near, client := pair(t, l)
		other, origin := pair(t, l)
		s := &storm{client: side{client, script(r)}, origin: side{origin, script(r)}, cut: cut(r.IntN(6)), over: make(chan struct{})}
		s.Tunnel = Ends{Client: near, Origin: other, Patience: time.Minute, Halves: true, Watcher: w, Recover: func() {},
			Stay: []time.Duration{time.Microsecond, time.Millisecond, 20 * time.Millisecond, time.Hour}[r.IntN(4)]}.Join()
		s.after = time.Duration(r.IntN(30)) * time.Millisecond
		all.Go(func() { s.run(t) })
	}
	all.Wait()
	sock.ClosePipes()
	eventually(t, "as many goroutines and files as before", func() bool {
		return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
	})
}

func openFiles(t *testing.T) int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// cut is what happens to a tunnel meanwhile.
type cut int

const (
	clientResets cut = iota
	originResets
	aborted
	notCut // and more
)

type piece struct {
	size  int
	pause time.Duration
}

// script is what a side says.
func script(r *rand.Rand) (pieces []piece) {
	for range r.IntN(6) {
		p := piece{size: []int{1, 100, 16 << 10, 64 << 10, 64<<10 + 1, 1 << 20}[r.IntN(6)]}
		if r.IntN(2) == 0 {
			p.pause = time.Duration(r.IntN(25)) * time.Millisecond
		}
		pieces = append(pieces, p)
	}
	return pieces
}

type side struct {
	*net.TCPConn
	says []piece
}

func (s side) total() (n int) {
	for _, p := range s.says {
		n += p.size
	}
	return n
}

// octets are all of a side's, which depend on their place.
func octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func (s side) say() {
	all := octets(s.total())
	for _, p := range s.says {
		if _, err := s.Write(all[:p.size]); err != nil {
			return // cut
		}
		all = all[p.size:]
		time.Sleep(p.pause) // a pause is what is tested
	}
	s.CloseWrite()
}

type storm struct {
	*Tunnel
	client, origin side
	cut            cut
	after          time.Duration
	over           chan struct{}
}

func (s *storm) run(t *testing.T) {
	end := func() {
		s.Client.Close()
		s.Origin.Close()
		close(s.over)
	}
	go func() {
		if s.Run() {
			end()
		} else {
			s.Leave(end)
		}
	}()
	var sides sync.WaitGroup
	for _, way := range [...][2]side{{s.client, s.origin}, {s.origin, s.client}} {
		sides.Go(way[0].say)
		sides.Go(func() {
			got, err := io.ReadAll(way[1])
			want := octets(way[0].total())
			switch {
			case s.cut >= notCut && (err != nil || !bytes.Equal(got, want)):
				t.Errorf("%d octets of %d, %v", len(got), len(want), err)
			case !bytes.HasPrefix(want, got):
				t.Errorf("%d octets that nobody sent", len(got))
			}
		})
	}
	if s.cut < notCut {
		time.Sleep(s.after) // any moment
		switch s.cut {
		case clientResets:
			s.client.SetLinger(0)
			s.client.Close()
		case originResets:
			s.origin.SetLinger(0)
			s.origin.Close()
		case aborted:
			s.Client.Abort()
			s.Abort()
		}
	}
	select {
	case <-s.over:
	case <-time.After(time.Minute):
		s.mu.Lock()
		t.Errorf("a tunnel with cut %d goes on; up %v %v, down %v %v", s.cut, s.up.over, s.up.parked, s.down.over, s.down.parked)
		s.mu.Unlock()
		s.Client.Abort()
		s.Abort()
	}
	sides.Wait()
	if want := s.client.total() + s.origin.total(); s.cut >= notCut && s.Moved() != int64(want) {
		t.Errorf("%d octets counted, of %d", s.Moved(), want)
	}
	s.client.Close()
	s.origin.Close()
}
