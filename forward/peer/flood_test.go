package peer

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"golang.org/x/sys/unix"
)

// A flood of questions, sound and broken, gets at most one answer each, none of them
// longer than an escaped URL makes it, and starts nothing that stays.
func TestFloodOfQueries(t *testing.T) {
	f := listening(t, "icp_access allow all\nhtcp_access allow all\nlog_icp_queries off\n")
	c := socketAt(t, netip.AddrPortFrom(anAddress(), 0))
	goroutines := runtime.NumGoroutine()
	answers, sent, longest := 0, 0, 0
	room := make([]byte, 64<<10)
	drain := func(wait time.Duration) (last []byte) {
		for {
			c.SetReadDeadline(time.Now().Add(wait))
			n, err := c.Read(room)
			if err != nil {
				return last
			}
			answers++
			longest = max(longest, n)
			last = room[:n]
		}
	}
	spec, _ := (&htcp.Specifier{Method: []byte("GET"), URI: []byte("http://www.test/hit"), Version: []byte("1/0")}).Append(nil)
	tst, _ := (&htcp.Message{Minor: 1, Opcode: htcp.TST, F1: true, Number: 9, Data: spec}).Append(nil)
	for i := range 4000 {
		packet := query("http://www.test/hit")
		to := f.port(23130)
		if i%4 == 3 {
			packet, to = append([]byte(nil), tst...), f.port(24827)
		}
		if i%2 == 1 {
			packet[rand.IntN(len(packet))] ^= byte(1 + rand.IntN(255))
		}
		if _, err := c.WriteToUDPAddrPort(packet, to); err == nil {
			sent++
		}
		if i%50 == 0 {
			drain(time.Millisecond)
		}
	}
	after := socketAt(t, netip.AddrPortFrom(anAddress(), 0))
	var last []byte
	eventually(t, "a question is answered behind the flood", func() bool { // unless it is lost in it
		last = exchange(t, after, f.port(23130), query("http://www.test/hit"), time.Second)
		return last != nil
	})
	var m icp.Message
	if err := m.Parse(last); err != nil || m.Opcode != icp.Hit {
		t.Errorf("after the flood: %v %v", m.Opcode, err)
	}
	drain(100 * time.Millisecond)
	if answers > sent || answers == 0 || longest > 512 {
		t.Errorf("%d answers to %d questions, the longest of %d octets", answers, sent, longest)
	}
	eventually(t, "nothing stays", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// A flood of answers nobody asked for is not answered and not remembered.
func TestFloodOfAnswers(t *testing.T) {
	one := anAddress()
	f := listening(t, "icp_query_timeout 1\ncache_peer "+one.String()+" parent 1 23131\n")
	c := socketAt(t, netip.AddrPortFrom(one, 23131))
	for range 4000 {
		for _, what := range []icp.Opcode{icp.Hit, icp.Miss, icp.MissNoFetch, icp.Denied} {
			say(c, f.port(23130), what, rand.Uint32())
		}
	}
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 100)); err == nil {
		t.Errorf("an answer of %d octets to an answer", n)
	}
	f.rounds.mu.Lock()
	icps, htcps := len(f.rounds.byICP), len(f.rounds.byHTCP)
	f.rounds.mu.Unlock()
	if icps+htcps != 0 {
		t.Errorf("%d and %d numbers are kept", icps, htcps)
	}
	if p := f.rig.list[0]; p.removed() || p.life.answers != 0 {
		t.Errorf("%d answers count", p.life.answers)
	}
}

// BenchmarkQueries is queries over the network, 64 at a time, and the same with a loop
// that sends back what it gets. cpu-us/op is of the whole process: both ends.
func BenchmarkQueries(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		s := socketAt(b, netip.AddrPortFrom(anAddress(), 0))
		s.SetDeadline(time.Time{})
		go func() {
			room := make([]byte, mostICP)
			for {
				n, from, err := s.ReadFromUDPAddrPort(room)
				if err != nil {
					return
				}
				s.WriteToUDPAddrPort(room[:n], from)
			}
		}()
		askMany(b, s.LocalAddr().(*net.UDPAddr).AddrPort())
	})
	b.Run("icp", func(b *testing.B) {
		f := listening(b, "icp_access allow all\nlog_icp_queries off\n")
		askMany(b, f.port(23130))
	})
}

func askMany(b *testing.B, to netip.AddrPort) {
	c := socketAt(b, netip.AddrPortFrom(anAddress(), 0))
	c.SetDeadline(time.Now().Add(time.Hour))
	packet, room := query("http://www.test/some/path/index.html"), make([]byte, 2048)
	cpu := func() time.Duration {
		var r unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	began := cpu()
	b.ResetTimer()
	for done := 0; done < b.N; done += 64 {
		for range 64 {
			c.WriteToUDPAddrPort(packet, to)
		}
		for range 64 {
			if _, _, err := c.ReadFromUDPAddrPort(room); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64((cpu()-began).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
}
