package gre

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func BenchmarkUnwrap(b *testing.B) {
	h := Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80}}
	packet := ip4("10.0.0.1", "10.0.0.9", h.Append(nil, ip4("1.2.3.4", "5.6.7.8", bytes.Repeat([]byte("x"), 1400))))
	own := map[netip.Addr]struct{}{}
	u := &unwrapper{own: func(a netip.Addr) bool { _, has := own[a]; return has }}
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := u.unwrap(packet); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecapsulate is the whole way of a packet on one core: raw socket,
// unwrapping, TUN device, and the kernel's decision to drop it (no route). The
// socket is filled while the clock stands, so that the sender does not count.
func BenchmarkDecapsulate(b *testing.B) {
	c := openCrossing(b, Config{})
	h := Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80}}
	packet := h.Append(nil, ip4("1.2.3.4", "5.6.7.8", bytes.Repeat([]byte("x"), 1400)))
	raw, err := c.wire.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	to := &unix.SockaddrInet4{Addr: [4]byte(net.ParseIP(cacheAddr).To4())}
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	const window = 512 // the kernel's queue between two interfaces holds 1,000
	for i := 0; i < b.N; i += window {
		n := min(window, b.N-i)
		b.StopTimer()
		raw.Control(func(fd uintptr) {
			for range n {
				unix.Sendto(int(fd), packet, 0, to)
			}
		})
		c.d.socket.SetReadDeadline(time.Now().Add(10 * time.Second)) // a packet lost on the way ends the benchmark
		b.StartTimer()
		for c.d.count.received.Load() < uint64(i+n) {
			if err := c.d.deliverBatch(); err != nil {
				b.Fatal(err)
			}
		}
	}
	counts := c.d.Counts()
	b.ReportMetric(float64(counts.Received)/float64(counts.Batches), "packets/batch")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	if counts.Lost != 0 || counts.Delivered != counts.Received {
		b.Errorf("%+v", counts)
	}
}
