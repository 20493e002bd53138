package forward

import (
	"encoding/binary"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// BenchmarkRelay moves bodies by copy and by splice(2): sock.SpliceFrom is where the
// second becomes the cheaper one. Origin and client are another process; what
// counts is cpu-us/op, the processor time of this one.
func BenchmarkRelay(b *testing.B) {
	ways := map[string]func(from, to *sock.Conn, size int64) int64{
		"copy16K": func(from, to *sock.Conn, size int64) (moved int64) {
			return copyThrough(from, to, size, make([]byte, fetch.ReplyBuffer))
		},
		"copy64K": func(from, to *sock.Conn, size int64) int64 {
			t := sock.Transfer{From: from, To: to, Left: size, Small: size, Patience: time.Minute}
			return t.Run()
		},
		"splice": func(from, to *sock.Conn, size int64) int64 {
			t := sock.Transfer{From: from, To: to, Left: size, Patience: time.Minute}
			return t.Run()
		},
	}
	for size := int64(4 << 10); size <= 1<<20; size *= 2 {
		for _, way := range []string{"copy16K", "copy64K", "splice"} {
			b.Run(fmt.Sprintf("%dK/%s", size>>10, way), func(b *testing.B) {
				from, to := ends(b)
				order := binary.BigEndian.AppendUint32(nil, uint32(size))
				done := make([]byte, 1)
				spent := processorTime(b)
				for b.Loop() {
					if _, err := from.Write(order); err != nil {
						b.Fatal(err)
					}
					if ways[way](from, to, size) != size {
						b.Fatal("the body did not arrive")
					}
					if _, err := to.Read(done); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((processorTime(b)-spent).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
			})
		}
	}
	sock.ClosePipes()
}

// copyThrough is what a transaction does with what its own buffer holds.
func copyThrough(from, to *sock.Conn, size int64, buf []byte) (moved int64) {
	for moved < size {
		from.ReadUntil(time.Now().Add(time.Minute))
		n, err := from.Read(buf[:min(int64(len(buf)), size-moved)])
		if err != nil {
			return moved
		}
		to.WriteUntil(time.Now().Add(time.Minute))
		if _, err := to.Write(buf[:n]); err != nil {
			return moved
		}
		moved += int64(n)
	}
	return moved
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// farChild makes the test binary the origin and the client of BenchmarkRelay.
const farChild = "CUTTLE_FAR_CHILD"

// TestFarChild is that process: the first connection is the origin's, which
// sends as many bytes as it is asked for, the second the client's, which reads as
// many and then says so.
func TestFarChild(t *testing.T) {
	addr := os.Getenv(farChild)
	if addr == "" {
		return // run by BenchmarkRelay
	}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	origin := dial()
	client := dial()
	body, order, into := make([]byte, 1<<20), make([]byte, 4), make([]byte, 1<<20)
	for {
		if _, err := io.ReadFull(origin, order); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(order)
		go origin.Write(body[:size])
		if _, err := io.ReadFull(client, into[:size]); err != nil {
			return
		}
		client.Write(order[:1])
	}
}

// ends gives this side of the connections to the origin and to the client.
func ends(b *testing.B) (from, to *sock.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestFarChild$")
	cmd.Env = append(os.Environ(), farChild+"="+l.Addr().String())
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	accept := func() *sock.Conn {
		tcp, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		c, err := sock.Wrap(tcp.(*net.TCPConn))
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	from, to = accept(), accept()
	b.Cleanup(func() {
		from.Close()
		to.Close()
		cmd.Wait()
	})
	return from, to
}
